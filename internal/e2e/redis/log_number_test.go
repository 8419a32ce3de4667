package redis_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/header"
)

// The scripts make a version of the number that the server gives to a message, which has
// more bits than the half of a version that they write it to.
func TestLog_GreatNumbers(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	era := f.write(t, set("0", write{})).Version.Era()
	kinds := []*write{set("1", write{}), set("2", write{Source: 1})} // for either script
	for _, number := range []uint64{9, 999_999_998, 1<<32 - 3, 1 << 32, backends.MaxSeq - 2} {
		f.setNumber(t, era, number)
		for i, w := range kinds {
			want := backends.MakeVersion(era, number+1+uint64(i)) //nolint:gosec // small
			assert.Equal(t, want, f.write(t, w).Version, "after number %d", number)
			_, a := f.get(t)
			assert.Equal(t, want, a.Version, "after number %d", number)
		}
	}
}

// Behind the last number that fits into a version a new era begins, whoever comes to it. No
// write is lost, and a reader finds one loss.
func TestLog_LastNumber(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]*write{"set": set("1", write{}), "change": set("1", write{Source: 1})} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLogFixture(t)
			era := f.write(t, set("0", write{})).Version.Era()
			f.setNumber(t, era, backends.MaxSeq)
			v := f.write(t, w).Version
			assert.Greater(t, v.Era(), era)
			assert.Equal(t, eraOf(v)+"-"+strconv.FormatUint(v.Seq(), 10), f.lastMessage(t))
		})
		t.Run(name+" with a reader", func(t *testing.T) {
			t.Parallel()
			f := newLogFixture(t)
			era := f.write(t, set("0", write{})).Version.Era()
			f.setNumber(t, era, backends.MaxSeq-2)
			r := watchOf(t, f)
			r.isSynced(t)
			assert.Equal(t, backends.MakeVersion(era, backends.MaxSeq), f.write(t, w).Version)
			r.isSynced(t)
			v := f.write(t, w).Version
			assert.Greater(t, v.Era(), era)
			r.isSynced(t)
			_, a := f.get(t)
			assert.Equal(t, v, a.Version)
			assert.Equal(t, []backends.Loss{backends.LossLogReplaced}, r.lost())
			assert.Greater(t, f.write(t, w).Version, v)
		})
	}
	t.Run("hello", func(t *testing.T) {
		t.Parallel()
		f := newLogFixture(t)
		era := f.write(t, set("0", write{})).Version.Era()
		f.setNumber(t, era, backends.MaxSeq)
		r := watchOf(t, f)
		r.isSynced(t)
		assert.Greater(t, f.write(t, set("1", write{})).Version.Era(), era)
		r.isSynced(t)
		assert.Empty(t, r.lost())
		beyond := eraOf(backends.MakeVersion(era, 0)) + "-" + strconv.FormatUint(backends.MaxSeq+1, 10)
		assert.Empty(t, f.admin(t, "xrange", logKey, beyond, beyond))
	})
}

// Damaged bytes that pass for a header, with an era that no store has had, do not use up the eras:
// each process that read them could never follow the log again.
func TestLog_DamagedEra(t *testing.T) {
	t.Parallel()
	for _, era := range []uint32{backends.MaxEra, backends.MaxEra / 2} {
		t.Run(strconv.FormatUint(uint64(era), 10), func(t *testing.T) {
			t.Parallel()
			f := newLogFixture(t)
			v := f.write(t, set("0", write{})).Version
			r := watchOf(t, f)
			r.isSynced(t)
			h := header.Header{Version: backends.MakeVersion(era, 1)}
			f.admin(t, "set", valueKey, h.Encode([]byte("damaged")))
			value, _ := f.get(t)
			assert.Equal(t, "damaged", value)
			r.isSynced(t)
			assert.Equal(t, v.Era(), f.Seen(key).Era())
			assert.Equal(t, v.Era(), f.write(t, set("1", write{})).Version.Era())
			assert.Empty(t, r.lost())
		})
	}
}

// setNumber gives the log a message with a number.
func (f *logFixture) setNumber(t *testing.T, era uint32, number uint64) {
	t.Helper()
	f.admin(t, addRaw(strconv.FormatUint(uint64(era), 10)+"-"+strconv.FormatUint(number, 10))...)
}

// lastMessage returns the id of the log's last message.
func (f *logFixture) lastMessage(t *testing.T) string {
	t.Helper()
	last, err := f.server.Admin.XRevRangeN(t.Context(), logKey, "+", "-", 1).Result()
	require.NoError(t, err)
	return last[0].ID
}

// The log keeps as many messages as it was told, and little more, whichever script writes
// it: one write in ten trims it, and whole nodes of a hundred messages are trimmed.
func TestLog_Length(t *testing.T) {
	t.Parallel()
	const length, writes, most = 1000, 4000, 1400
	for name, w := range map[string]write{"set": {}, "change": {Source: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			_, b := loggedAt(t, s.Addr, redisbackend.WithLogLength(length))
			for n := range writes {
				_, err := b.Write(t.Context(), set("1", w))
				require.NoError(t, err)
				if has, err := s.Admin.XLen(t.Context(), logKey).Result(); n >= length && (err != nil || has < length || has > most) {
					t.Fatalf("after %d writes the log has %d messages: %v", n+1, has, err)
				}
			}
		})
	}
}

package redis_test

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// outputOf is how many bytes a server has sent.
func outputOf(t *testing.T, info string) int {
	t.Helper()
	n, err := strconv.Atoi(server.InfoField(info, "total_net_output_bytes"))
	require.NoError(t, err)
	return n
}

// A log that was lost begins a new era, greater than any before, by whichever process
// notices it first. No write is lost or made twice, and no version is used again.
func TestLog_BegunAnew(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, f *logFixture){
		"flushed":         func(t *testing.T, f *logFixture) { t.Helper(); f.admin(t, "flushall") },
		"deleted":         func(t *testing.T, f *logFixture) { t.Helper(); f.admin(t, "del", logKey) },
		"its place gone":  func(t *testing.T, f *logFixture) { t.Helper(); f.admin(t, "del", placeKey) },
		"its place wrong": func(t *testing.T, f *logFixture) { t.Helper(); f.admin(t, "set", placeKey, "1 other x") },
		"in a later era": func(t *testing.T, f *logFixture) {
			t.Helper()
			f.admin(t, "xadd", logKey, "2000000000-7", "k", "", "m", "i", "s", "1", "u", "1")
		},
		"in an earlier era": func(t *testing.T, f *logFixture) {
			t.Helper()
			f.admin(t, "del", logKey)
			f.admin(t, "xadd", logKey, "7-7", "k", "", "m", "i", "s", "1", "u", "1")
			f.admin(t, "set", placeKey, "7 other x")
		},
	} {
		for kind, w := range map[string]*write{"set": set("3", write{}), "remove": remove(write{})} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				f := newLogFixture(t)
				_, second := loggedAt(t, f.server.Addr)
				_, third := loggedAt(t, f.server.Addr)
				first := f.write(t, set("1", write{})).Version
				_, err := second.Write(t.Context(), set("2", write{}))
				require.NoError(t, err)
				lose(t, f)
				a := f.write(t, w).Version
				assert.Greater(t, a.Era(), first.Era())
				r, err := second.Write(t.Context(), set("4", write{}))
				require.NoError(t, err)
				assert.Equal(t, backends.MakeVersion(a.Era(), a.Seq()+1), r.Version, "both are in one log")
				r, err = third.Write(t.Context(), set("5", write{}))
				require.NoError(t, err)
				assert.Equal(t, backends.MakeVersion(a.Era(), a.Seq()+2), r.Version, "and so is a process that starts now")
			})
		}
	}
}

// A process that has seen more than the log has, as after a failover that lost the
// newest messages, begins a new era.
func TestLog_BehindWhatWasSeen(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	first := f.write(t, set("1", write{})).Version
	later := f.write(t, set("2", write{})).Version
	f.admin(t, "copy", placeKey, "copy")
	f.admin(t, "del", logKey) // and back, without the newest
	f.admin(t, "xadd", logKey, strconv.FormatUint(uint64(first.Era()), 10)+"-"+strconv.FormatUint(first.Seq(), 10),
		"k", key, "m", "s00000000", "s", "1", "u", "1")
	f.admin(t, "del", placeKey) // so that the writer asks
	f.write(t, set("3", write{}))
	_, a := f.get(t)
	assert.Greater(t, a.Version.Era(), later.Era())
}

// Two processes that find no log make one and the same.
func TestLog_BegunByMany(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	versions := make([]backends.Version, 8)
	var wg sync.WaitGroup
	for i := range versions {
		_, b := loggedAt(t, f.server.Addr)
		wg.Go(func() {
			r, err := b.Write(context.WithoutCancel(t.Context()), set("v", write{}))
			if assert.NoError(t, err) {
				versions[i] = r.Version
			}
		})
	}
	wg.Wait()
	seen := make(map[uint64]bool)
	for _, v := range versions {
		assert.Equal(t, versions[0].Era(), v.Era())
		assert.False(t, seen[v.Seq()])
		seen[v.Seq()] = true
	}
}

// A server that has forgotten the script is given it again; nothing is made twice.
func TestLog_NoScript(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	for range 3 {
		f.admin(t, "script", "flush")
		f.write(t, set("v", write{}))
		f.admin(t, "script", "flush")
		f.write(t, remove(write{}))
		f.admin(t, "script", "flush")
		_, _, err := f.GetIf(t.Context(), key, f.Seen(key)-1)
		require.NoError(t, err)
	}
	assert.Equal(t, 6, f.messages(t))
}

// Failures that say nothing about the era are not taken for another one, and nothing is
// written.
func TestLog_FailuresOfTheLog(t *testing.T) {
	t.Parallel()
	t.Run("of another type", func(t *testing.T) {
		t.Parallel()
		f := newLogFixture(t)
		f.write(t, set("old", write{}))
		place := f.admin(t, "get", placeKey)
		f.admin(t, "del", logKey)
		f.admin(t, "set", logKey, "a string")
		for _, w := range []*write{set("new", write{}), remove(write{})} {
			_, err := f.Write(t.Context(), w)
			require.Error(t, err)
			var failed *redisbackend.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "WRONGTYPE", failed.ErrorType())
			assert.True(t, backends.CertainlyNotApplied(err))
		}
		value, _ := f.get(t)
		assert.Equal(t, "old", value)
		assert.Equal(t, place, f.admin(t, "get", placeKey))
		assert.Equal(t, "a string", f.admin(t, "get", logKey))
	})
	t.Run("out of memory", func(t *testing.T) {
		t.Parallel()
		f := newLogFixture(t)
		f.write(t, set("old", write{}))
		before := f.messages(t)
		f.admin(t, "config", "set", "maxmemory", "1")
		for _, w := range []*write{set("new", write{}), remove(write{})} {
			_, err := f.Write(t.Context(), w)
			var failed *redisbackend.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "OOM", failed.ErrorType())
			assert.True(t, backends.CertainlyNotApplied(err))
		}
		f.admin(t, "config", "set", "maxmemory", "0")
		assert.Equal(t, before, f.messages(t))
		f.write(t, set("new", write{}))
	})
	t.Run("not permitted", func(t *testing.T) {
		t.Parallel()
		f := newLogFixture(t)
		f.write(t, set("old", write{}))
		f.admin(t, "acl", "setuser", "default", "-xadd")
		_, err := f.Write(t.Context(), set("new", write{}))
		f.admin(t, "acl", "setuser", "default", "+xadd")
		var failed *redisbackend.Error
		require.ErrorAs(t, err, &failed)
		assert.True(t, backends.CertainlyNotApplied(err), err)
		value, _ := f.get(t)
		assert.Equal(t, "old", value)
	})
}

// Foreign bytes are never taken for a version: a condition on them is refused by an
// error, they poison nothing, and a plain write replaces them.
func TestLog_ForeignBytes(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	v := f.write(t, set("1", write{})).Version
	for name, foreign := range map[string]string{
		"zeros": strings.Repeat("\x00", 100), "text": strings.Repeat("9", 100), "short": "x", "an early format": "\xC1\x00" + strings.Repeat("\xFF", 50),
		"a later format": "\xC1\x83" + strings.Repeat("\xFF", 50), "a later flag": "\xC1\x82\x04" + strings.Repeat("\xFF", 50),
	} {
		foreignly := func() { f.admin(t, "set", valueKey, foreign) }
		foreignly()
		for _, cond := range []backends.Condition{backends.Absent(), backends.Is(v), backends.NotNewer(v), backends.AbsentAt(0)} {
			_, err := f.Write(t.Context(), set("2", write{If: cond}))
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged, name)
			assert.True(t, backends.CertainlyNotApplied(err))
		}
		for _, have := range []backends.Version{0, v} {
			_, _, err := f.GetIf(t.Context(), key, have)
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged, name)
		}
		for _, w := range []*write{set("2", write{}), set("2", write{Source: 7}), remove(write{}), remove(write{Source: 7})} {
			foreignly()
			r := f.write(t, w)
			assert.Equal(t, v.Era(), r.Version.Era(), name)
			assert.Equal(t, w.Source, r.Source)
		}
	}
	assert.Equal(t, v.Era(), f.Seen(key).Era())

	// They may even have the version at its place.
	f.admin(t, "set", valueKey, strings.Repeat("9", 12)+string(binary.BigEndian.AppendUint64(nil, uint64(v)))+strings.Repeat("9", 50))
	_, _, err := f.GetIf(t.Context(), key, v)
	var damaged *backends.DamagedError
	require.ErrorAs(t, err, &damaged)
}

// The order of versions is that of their bytes, whatever the server's locale is.
func TestLog_Locale(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	f := newLogFixture(t)
	numbers := []uint64{1, 0x41, 0x61, 0x7f, 0x80, 0xff, 0xC3A4, 0xFFFE, 1 << 32, 0x6100000000, 1 << 63, 1<<64 - 1}
	for i := 1; i < len(numbers); i++ {
		f.write(t, set("v", write{Source: numbers[i]}))
		r, err := f.Write(t.Context(), set("v", write{Source: numbers[i-1]}))
		require.NoError(t, err)
		assert.Equal(t, backends.RefusedSource, r.Refused, "%x after %x", numbers[i-1], numbers[i])
	}
}

func TestLog_Unsupported(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	client := redis.NewClient(clientOptions(s.Addr))
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
	require.NoError(t, err)
	_, err = b.Write(t.Context(), set("v", write{}))
	require.ErrorIs(t, err, backends.ErrUnsupported)
	require.True(t, backends.CertainlyNotApplied(err))
	_, _, err = b.GetIf(t.Context(), key, 0)
	require.ErrorIs(t, err, backends.ErrUnsupported)
	require.ErrorIs(t, b.Watch(t.Context(), nil), backends.ErrUnsupported)
	require.Zero(t, b.Seen(key))
	_, _, ok := b.StoreTime()
	require.False(t, ok)
}

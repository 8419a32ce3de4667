package badgerbackend_test

import (
	"bytes"
	"context"
	"strconv"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func writeMany(ctx context.Context, b *badgerbackend.Backend, writes ...write) []backends.Done {
	done := make([]backends.Done, len(writes))
	b.WriteMany(ctx, writes, done)
	return done
}

func getMany(ctx context.Context, b *badgerbackend.Backend, keys ...string) []backends.Got[[]byte] {
	got := make([]backends.Got[[]byte], len(keys))
	b.GetMany(ctx, keys, got)
	return got
}

func TestBatchOfWrites(t *testing.T) {
	t.Parallel()
	b := openInMemory(t)
	have := requireApplied(t, b, set("there", "old"))
	absent, again := set("there", "new"), set("new", "second")
	absent.If = backends.Absent()
	again.If = backends.Absent()
	done := writeMany(t.Context(), b,
		set("new", "first"), absent, again, write{Key: "kind"}, set("", "v"), remove("none"), set("new", "third"), remove("there"))
	for i, want := range []backends.Refusal{
		0: backends.NotRefused, 1: backends.RefusedCondition, 2: backends.RefusedCondition,
		5: backends.NotRefused, 6: backends.NotRefused, 7: backends.NotRefused,
	} {
		if i == 3 || i == 4 {
			require.True(t, backends.CertainlyNotApplied(done[i].Err))
			continue
		}
		require.NoError(t, done[i].Err, i)
		require.Equal(t, want, done[i].Result.Refused, i)
	}
	assert.Equal(t, have, done[1].Result.Version)
	assert.Equal(t, done[0].Result.Version, done[2].Result.Version, "a change of the batch was not seen")
	assert.Greater(t, done[6].Result.Version, done[0].Result.Version)

	got := getMany(t.Context(), b, "new", "there", "", "never", "new")
	assert.Equal(t, "third", string(got[0].Entry.Value))
	assert.Equal(t, backends.Answer{Found: backends.Hit, Version: done[6].Result.Version}, got[0].Answer)
	assert.Equal(t, backends.Got[[]byte]{Answer: backends.Answer{Version: done[7].Result.Version}}, got[1])
	assert.Zero(t, got[2])
	assert.Zero(t, got[3])
	assert.Equal(t, got[0], got[4])
}

// Batches of any size are split, by the number and the bytes of their changes.
func TestLargeBatches(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ writes, size int }{
		"many": {1_000, 10}, "large": {20, 300 << 10}, "larger than a transaction": {3, mib - 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, t.TempDir(), tune(func(o *badger.Options) { o.ValueThreshold = 1 << 20 }))
			entry := value(string(bytes.Repeat([]byte("v"), test.size)))
			var writes []write
			var keys []string
			for i := range test.writes {
				keys = append(keys, strconv.Itoa(i))
				w := set(keys[i], "")
				w.Entry = entry
				writes = append(writes, w)
			}
			seen := make(map[backends.Version]bool)
			for i, done := range writeMany(t.Context(), b, writes...) {
				require.NoError(t, done.Err, i)
				require.True(t, done.Result.Applied())
				require.False(t, seen[done.Result.Version])
				seen[done.Result.Version] = true
			}
			for i, got := range getMany(t.Context(), b, keys...) {
				require.NoError(t, got.Err)
				require.Equal(t, entry, got.Entry, i)
			}
		})
	}
}

func TestBatchesFail(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	putRaw(t, db, "damaged", "secret")
	got := getMany(t.Context(), b, "damaged", "none")
	var damaged *backends.DamagedError
	require.ErrorAs(t, got[0].Err, &damaged)
	require.NoError(t, got[1].Err)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, done := range writeMany(ended, b, set("a", "v"), set("b", "v")) {
		require.ErrorIs(t, done.Err, context.Canceled)
		require.True(t, backends.CertainlyNotApplied(done.Err))
	}
	require.ErrorIs(t, getMany(ended, b, "a")[0].Err, context.Canceled)
	requireMiss(t, b, "a")

	require.NoError(t, b.Close())
	require.ErrorIs(t, writeMany(t.Context(), b, set("a", "v"), set("b", "v"))[1].Err, backends.ErrClosed)
	require.ErrorIs(t, getMany(t.Context(), b, "a")[0].Err, backends.ErrClosed)
}

// A transaction that badger does not take is certainly not applied, refusals included:
// they may rest on its other changes.
func TestBatchIsNotTaken(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, badger.DefaultOptions(t.TempDir()))
	mustSet(t, b, "there", value("v"))
	absent := set("there", "w")
	absent.If = backends.Absent()
	require.NoError(t, db.DropAll()) // badger takes writes again after it
	mustSet(t, b, "there", value("v"))
	require.NoError(t, db.Close())
	for _, done := range writeMany(t.Context(), b, set("a", "v"), absent) {
		require.ErrorIs(t, done.Err, backends.ErrClosed)
		require.True(t, backends.CertainlyNotApplied(done.Err))
	}
}

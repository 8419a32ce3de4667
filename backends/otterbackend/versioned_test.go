package otterbackend_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/tier"
)

type write = backends.Write[string]

func put(value string) write {
	return write{Key: "k", Kind: tier.Set, Entry: backends.Entry[string]{Value: value}}
}

func remove() write { return write{Key: "k", Kind: tier.Delete} }

func mustWrite(t *testing.T, b *otterbackend.Backend[string], w write) backends.Result {
	t.Helper()
	result, err := b.Write(t.Context(), &w)
	require.NoError(t, err)
	return result
}

func requireApplied(t *testing.T, b *otterbackend.Backend[string], w write) backends.Version {
	t.Helper()
	result := mustWrite(t, b, w)
	require.Equal(t, backends.NotRefused, result.Refused)
	require.NotZero(t, result.Version)
	return result.Version
}

func TestWithoutVersions(t *testing.T) {
	t.Parallel()
	b := open(t)
	w := put("v")
	_, err := b.Write(t.Context(), &w)
	require.ErrorIs(t, err, backends.ErrUnsupported)
	require.True(t, backends.CertainlyNotApplied(err))
	_, _, err = b.GetIf(t.Context(), "k", 0)
	require.ErrorIs(t, err, backends.ErrUnsupported)
	require.Nil(t, backends.AsVersioned[string](b))
	require.NotNil(t, backends.AsVersioned[string](open(t, otterbackend.WithVersions())))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, otterbackend.WithVersions())
		note := []byte("note")
		w := write{
			Key: "k", Kind: tier.Set, Entry: backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(time.Minute)},
			Source: 7, Operation: 8, Codec: 9, Note: note, Keep: time.Hour,
		}
		version := requireApplied(t, b, w)
		note[0] = 'X' // the caller's

		want := backends.Answer{Found: backends.Hit, Version: version, Source: 7, Operation: 8, Codec: 9, Note: []byte("note")}
		check := func(have backends.Version, value string) {
			t.Helper()
			entry, answer, err := b.GetIf(t.Context(), "k", have)
			require.NoError(t, err)
			require.Equal(t, want, answer)
			require.Equal(t, value, entry.Value)
		}
		check(0, "v")
		check(version-1, "v")
		want.Found = backends.Unchanged
		check(version, "")

		// The versions outlast the entry.
		want.Found = backends.Miss
		time.Sleep(time.Minute)
		check(version, "")
		time.Sleep(time.Hour - time.Second)
		check(0, "")
		time.Sleep(3 * time.Second)
		want = backends.Answer{}
		check(version, "")
	})
}

// A deleted entry is remembered for as long as the deletion says.
func TestDeletionsAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, otterbackend.WithVersions(), otterbackend.WithMaximumWeight(1000, func(_, value string) uint32 {
			assert.NotEmpty(t, value, "a deletion was weighed")
			return uint32(len(value))
		}))
		w := put("v")
		w.Source = 5
		set := requireApplied(t, b, w)
		require.NoError(t, b.Delete(t.Context(), "k"))
		requireMiss(t, b, "k")
		_, answer, err := b.GetIf(t.Context(), "k", set)
		require.NoError(t, err)
		require.Equal(t, backends.Miss, answer.Found)
		require.Greater(t, answer.Version, set)
		require.EqualValues(t, 5, answer.Source, "the deletion has forgotten the source version")

		w.Source = 4
		require.Equal(t, backends.Result{Refused: backends.RefusedSource, Version: answer.Version, Source: 5}, mustWrite(t, b, w))
		w.If = backends.NotNewer(set)
		require.Equal(t, backends.RefusedCondition, mustWrite(t, b, w).Refused)
		time.Sleep(backends.DefaultKeep + 2*time.Second)
		require.Zero(t, b.Stats().Entries)
		require.Equal(t, backends.RefusedCondition, mustWrite(t, b, w).Refused, "nothing is remembered")
		w.If = backends.Absent()
		require.Greater(t, requireApplied(t, b, w), answer.Version, "a version was used twice")
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, otterbackend.WithVersions())
		w := put("v")
		w.Source = 5
		version := requireApplied(t, b, w)
		late := time.Now().Add(-1)
		for name, test := range map[string]struct {
			change func(w *write)
			want   backends.Refusal
		}{
			"late":                   {func(w *write) { w.Before = late }, backends.RefusedLate},
			"late comes first":       {func(w *write) { w.Before, w.If, w.Source = late, backends.Absent(), 1 }, backends.RefusedLate},
			"present":                {func(w *write) { w.If = backends.Absent() }, backends.RefusedCondition},
			"another version":        {func(w *write) { w.If = backends.Is(version - 1) }, backends.RefusedCondition},
			"newer":                  {func(w *write) { w.If = backends.NotNewer(version - 1) }, backends.RefusedCondition},
			"another era":            {func(w *write) { w.If = backends.NotNewer(version + 1<<33) }, backends.RefusedCondition},
			"condition before order": {func(w *write) { w.If, w.Source = backends.Absent(), 1 }, backends.RefusedCondition},
			"older source":           {func(w *write) { w.Source = 4 }, backends.RefusedSource},
		} {
			for _, w := range []write{put("new"), remove()} {
				test.change(&w)
				require.Equal(t, backends.Result{Refused: test.want, Version: version, Source: 5}, mustWrite(t, b, w), "%s, %v", name, w.Kind)
			}
		}
		requireHit(t, b, "k", backends.Entry[string]{Value: "v"})
		for _, change := range []func(w *write){
			func(w *write) { w.Before = time.Now() },
			func(w *write) { w.Before = time.Now().Add(time.Second) },
			func(w *write) { w.If = backends.Is(version) },
			func(w *write) { w.If = backends.NotNewer(version) },
			func(w *write) { w.If = backends.NotNewer(version + 1) },
			func(w *write) { w.Source = 5 },
			func(w *write) { w.Source = 6 },
			func(w *write) { w.Source = 0 },
		} {
			w := put("new")
			change(&w)
			version = requireApplied(t, b, w)
			w = put("v")
			version = requireApplied(t, b, w)
			w.Source = 5
			version = requireApplied(t, b, w)
		}
		var invalid *backends.InvalidWriteError
		_, err := b.Write(t.Context(), &write{Key: "k"})
		require.ErrorAs(t, err, &invalid)
	})
}

// An entry that has expired is one that was deleted, whether it was set so or became so.
func TestExpiredIsAbsent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, otterbackend.WithVersions())
		w := put("v")
		w.Entry.ExpiresAt, w.Source = time.Now().Add(time.Second), 3
		first := requireApplied(t, b, w)
		time.Sleep(time.Second)
		w = put("new")
		w.If = backends.Is(first)
		require.Equal(t, backends.Result{Refused: backends.RefusedCondition, Version: first, Source: 3}, mustWrite(t, b, w))
		w.If, w.Source = backends.Absent(), 2
		require.Equal(t, backends.RefusedSource, mustWrite(t, b, w).Refused)
		w.Source = 3
		second := requireApplied(t, b, w)
		require.Greater(t, second, first)

		w = put("expired")
		w.Entry.ExpiresAt = time.Now()
		result := mustWrite(t, b, w)
		require.Equal(t, backends.Result{Version: result.Version, Source: 3}, result)
		requireMiss(t, b, "k")
	})
}

// Of writers that all saw the same version, one wins: the counter loses no step.
func TestCompareAndSet(t *testing.T) {
	t.Parallel()
	b := open(t, otterbackend.WithVersions())
	requireApplied(t, b, put("0"))
	const users, steps = 8, 500
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[backends.Version]bool)
	for range users {
		all.Go(func() {
			for done := 0; done < steps; {
				entry, answer, err := b.GetIf(t.Context(), "k", 0)
				if !assert.NoError(t, err) {
					return
				}
				n, _ := strconv.Atoi(entry.Value)
				w := put(strconv.Itoa(n + 1))
				w.If = backends.Is(answer.Version)
				result, err := b.Write(t.Context(), &w)
				if !assert.NoError(t, err) {
					return
				}
				if !result.Applied() {
					assert.Greater(t, result.Version, answer.Version)
					continue
				}
				done++
				mu.Lock()
				assert.False(t, seen[result.Version], "a version was used twice")
				seen[result.Version] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	requireHit(t, b, "k", backends.Entry[string]{Value: strconv.Itoa(users * steps)})
}

func TestStoresHaveErasOfTheirOwn(t *testing.T) {
	t.Parallel()
	eras := make(map[uint32]bool)
	for range 3 {
		v := requireApplied(t, open(t, otterbackend.WithVersions()), put("v"))
		require.False(t, eras[v.Era()])
		eras[v.Era()] = true
	}
}

func TestVersionsOutlastAnEra(t *testing.T) {
	t.Parallel()
	last, next := otterbackend.NextVersionAfter(backends.MakeVersion(7, backends.MaxSeq-1))
	require.Equal(t, backends.MakeVersion(7, backends.MaxSeq), last)
	require.EqualValues(t, 1, next.Seq())
	require.Greater(t, next.Era(), uint32(8), "the era may be that of another store")
	require.Greater(t, next, last)
}

func TestStoreTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, within, ok := open(t, otterbackend.WithVersions()).StoreTime()
		require.Equal(t, time.Now(), now)
		require.Zero(t, within)
		require.True(t, ok)
	})
}

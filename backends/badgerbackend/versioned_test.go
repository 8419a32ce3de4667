package badgerbackend_test

import (
	"bytes"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/tier"
)

type write = backends.Write[[]byte]

func set(key, text string) write { return write{Key: key, Kind: tier.Set, Entry: value(text)} }

func remove(key string) write { return write{Key: key, Kind: tier.Delete} }

func mustWrite(t *testing.T, b backends.Versioned[[]byte], w write) backends.Result {
	t.Helper()
	result, err := b.Write(t.Context(), &w)
	require.NoError(t, err)
	return result
}

func requireApplied(t *testing.T, b backends.Versioned[[]byte], w write) backends.Version {
	t.Helper()
	result := mustWrite(t, b, w)
	require.Equal(t, backends.NotRefused, result.Refused)
	require.NotZero(t, result.Version)
	return result.Version
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		note := []byte("note")
		w := set("k", "v")
		w.Entry.ExpiresAt = time.Now().Add(time.Minute)
		w.Source, w.Operation, w.Codec, w.Note, w.Keep = 7, 8, 9, note, time.Hour
		version := requireApplied(t, b, w)
		copy(note, "XXXX") // the caller's

		want := backends.Answer{Found: backends.Hit, Version: version, Source: 7, Operation: 8, Codec: 9, Note: []byte("note")}
		check := func(have backends.Version, text string) {
			t.Helper()
			entry, answer, err := b.GetIf(t.Context(), "k", have)
			require.NoError(t, err)
			require.Equal(t, want, answer)
			require.Equal(t, text, string(entry.Value))
			copy(answer.Note, "YYYY") // the reader's
		}
		check(0, "v")
		check(version-1, "v")
		want.Found = backends.Unchanged
		check(version, "")

		// The versions outlast the entry.
		want.Found = backends.Miss
		time.Sleep(time.Minute)
		check(version, "")
		time.Sleep(time.Hour - 1)
		check(0, "")
		time.Sleep(time.Nanosecond)
		want = backends.Answer{}
		check(version, "")
	})
}

// An unchanged entry of a megabyte costs no memory.
func TestUnchangedCopiesNoValue(t *testing.T) {
	_, b := openDB(t, badger.DefaultOptions(t.TempDir()).WithValueThreshold(1<<10))
	w := set("k", string(bytes.Repeat([]byte("v"), mib)))
	w.Note = []byte("note")
	version := requireApplied(t, b, w)
	const reads = 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range reads {
		_, answer, err := b.GetIf(t.Context(), "k", version)
		require.NoError(t, err)
		require.Equal(t, backends.Answer{Found: backends.Unchanged, Version: version, Note: w.Note}, answer)
		copy(answer.Note, "XXXX") // the reader's
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(reads*mib/4))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		w := set("k", "v")
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
			for _, w := range []write{set("k", "new"), remove("k")} {
				test.change(&w)
				want := backends.Result{Refused: test.want, Version: version, Source: 5}
				require.Equal(t, want, mustWrite(t, b, w), "%s, %v", name, w.Kind)
			}
		}
		requireHit(t, b, "k", value("v"))
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
			w := set("k", "new")
			change(&w)
			require.Greater(t, requireApplied(t, b, w), version)
			require.NoError(t, b.Set(t.Context(), "k", value("v"))) // without a source version
			w = set("k", "v")
			w.Source = 5
			version = requireApplied(t, b, w)
		}
	})
}

// A deleted entry is remembered for as long as the deletion says.
func TestDeletionsAreRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		w := set("k", "v")
		w.Source = 5
		first := requireApplied(t, b, w)
		require.NoError(t, b.Delete(t.Context(), "k"))
		requireMiss(t, b, "k")
		_, answer, err := b.GetIf(t.Context(), "k", first)
		require.NoError(t, err)
		require.Equal(t, backends.Miss, answer.Found)
		require.Greater(t, answer.Version, first)
		require.EqualValues(t, 5, answer.Source, "the deletion has forgotten the source version")

		w.Source = 4
		require.Equal(t, backends.Result{Refused: backends.RefusedSource, Version: answer.Version, Source: 5}, mustWrite(t, b, w))
		w.If = backends.NotNewer(first)
		require.Equal(t, backends.RefusedCondition, mustWrite(t, b, w).Refused)
		time.Sleep(backends.DefaultKeep)
		require.Equal(t, backends.Result{Refused: backends.RefusedCondition}, mustWrite(t, b, w), "nothing is remembered")
		removal := remove("k")
		removal.If = backends.NotNewer(first)
		require.Greater(t, requireApplied(t, b, removal), answer.Version)
		w.If = backends.Absent()
		require.Greater(t, requireApplied(t, b, w), answer.Version, "a version was used twice")
	})
}

// An entry that has expired is one that was deleted, whether it was set so or became so.
func TestExpiredIsAbsent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		w := set("k", "v")
		w.Entry.ExpiresAt, w.Source = time.Now().Add(time.Second), 3
		first := requireApplied(t, b, w)
		time.Sleep(time.Second)
		w = set("k", "new")
		w.If = backends.Is(first)
		require.Equal(t, backends.Result{Refused: backends.RefusedCondition, Version: first, Source: 3}, mustWrite(t, b, w))
		w.If, w.Source = backends.Absent(), 2
		require.Equal(t, backends.RefusedSource, mustWrite(t, b, w).Refused)
		w.Source = 3
		require.Greater(t, requireApplied(t, b, w), first)

		w = set("k", "expired")
		w.Entry.ExpiresAt = time.Now()
		result := mustWrite(t, b, w)
		require.Equal(t, backends.Result{Version: result.Version, Source: 3}, result)
		requireMiss(t, b, "k")
	})
}

func TestInvalidWrites(t *testing.T) {
	t.Parallel()
	b := openInMemory(t)
	for name, test := range map[string]struct {
		write  write
		target error
	}{
		"no kind":   {write{Key: "k"}, new(backends.InvalidWriteError)},
		"no key":    {set("", "v"), backends.ErrEmptyKey},
		"too large": {set("k", string(make([]byte, 2*mib))), new(backends.TooLargeError)},
		"long key":  {remove(string(make([]byte, badgerbackend.MaxKeySize+1))), new(backends.TooLargeError)},
	} {
		_, err := b.Write(t.Context(), &test.write)
		require.Equal(t, reflect.TypeOf(test.target), reflect.TypeOf(err), name)
		require.True(t, backends.CertainlyNotApplied(err), name)
	}
}

// Of writers that all saw the same version, one wins: the counter loses no step.
// Backends over one store share its order.
func TestCompareAndSet(t *testing.T) {
	t.Parallel()
	db, first := openDB(t, badger.DefaultOptions(t.TempDir()).WithDetectConflicts(false))
	all := []*badgerbackend.Backend{first, over(t, db)}
	requireApplied(t, first, set("k", "0"))
	const users, steps = 8, 100
	var group sync.WaitGroup
	var last atomic.Uint64
	for i := range users {
		b := all[i%2]
		group.Go(func() {
			for done := 0; done < steps; {
				entry, answer, err := b.GetIf(t.Context(), "k", 0)
				if !assert.NoError(t, err) {
					return
				}
				n, _ := strconv.Atoi(string(entry.Value))
				w := set("k", strconv.Itoa(n+1))
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
				last.Store(max(last.Load(), uint64(result.Version)))
			}
		})
	}
	group.Wait()
	requireHit(t, first, "k", value(strconv.Itoa(users*steps)))
	_, answer, err := first.GetIf(t.Context(), "k", 0)
	require.NoError(t, err)
	require.EqualValues(t, last.Load(), answer.Version)
}

// Versions rise over restarts, also when nothing is left of the entries, and when the
// reserved ones were used up.
func TestVersionsOutlastTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var last backends.Version
	for run := range 3 {
		b := open(t, dir)
		for range badgerbackend.Reserved/2 + 1 {
			w := set("k", "v")
			v := requireApplied(t, b, w)
			require.Greater(t, v, last, "run %d", run)
			require.True(t, last == 0 || v.Covers(last), "another era")
			last = v
		}
		require.NoError(t, b.Delete(t.Context(), "k"))
		require.NoError(t, b.Close())
	}
}

func TestOrdersAreReleased(t *testing.T) { //nolint:paralleltest // it counts the stores of all tests
	before := badgerbackend.Orders()
	db, err := badger.Open(inMemory().WithLogger(nil))
	require.NoError(t, err)
	a, b := over(t, db), over(t, db, badgerbackend.WithKeyPrefix("b:"))
	require.Equal(t, before+1, badgerbackend.Orders())
	first := requireApplied(t, a, set("k", "v"))
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	require.Equal(t, before+1, badgerbackend.Orders())
	require.NoError(t, b.Close())
	require.Equal(t, before, badgerbackend.Orders())
	require.Greater(t, requireApplied(t, over(t, db), set("k", "v")), first)
	require.NoError(t, db.Close())
}

// A write that began in time may be in badger's queue when its deadline passes. A reader
// who comes then waits for it; others wait for nothing.
func TestReadersWaitForOverdueWrites(t *testing.T) {
	t.Parallel()
	b := openInMemory(t)
	mustSet(t, b, "k", value("v"))
	for _, before := range []time.Time{{}, time.Now().Add(time.Hour)} {
		unlock := b.LockKey("k", before)
		requireHit(t, b, "k", value("v"))
		unlock()
	}
	reads := map[string]func(){
		"Get":   func() { requireHit(t, b, "k", value("v")) },
		"GetIf": func() { _, _, _ = b.GetIf(t.Context(), "k", 0) },
		"GetMany": func() {
			b.GetMany(t.Context(), []string{"other", "k"}, make([]backends.Got[[]byte], 2))
		},
	}
	for name, read := range reads {
		unlock := b.LockKey("k", time.Now().Add(-1))
		var unlocked atomic.Bool
		time.AfterFunc(10*time.Millisecond, func() {
			unlocked.Store(true)
			unlock()
		})
		read()
		require.True(t, unlocked.Load(), name)
	}
	requireHit(t, b, "k", value("v"))
}

func TestStoreTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, within, ok := openInMemory(t).StoreTime()
		require.Equal(t, time.Now(), now)
		require.Zero(t, within)
		require.True(t, ok)
	})
}

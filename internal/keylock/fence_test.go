package keylock_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/keylock"
)

func TestFence(t *testing.T) {
	t.Parallel()
	acquire := func(t *testing.T, tb *keylock.Table, key string) *keylock.Lock {
		t.Helper()
		w := new(keylock.Lock)
		require.NoError(t, tb.Acquire(t.Context(), w, key))
		return w
	}
	for _, test := range []struct {
		name   string
		run    func(t *testing.T, tb *keylock.Table, raise func())
		broken bool
	}{
		{"no write", func(_ *testing.T, _ *keylock.Table, raise func()) { raise() }, false},
		{"a write before", func(t *testing.T, tb *keylock.Table, raise func()) {
			acquire(t, tb, "k").Unlock()
			raise()
		}, false},
		{"a write after", func(t *testing.T, tb *keylock.Table, raise func()) {
			raise()
			acquire(t, tb, "k").Unlock()
		}, true},
		{"a write under way", func(t *testing.T, tb *keylock.Table, raise func()) {
			w := acquire(t, tb, "k")
			raise()
			w.Unlock()
		}, true},
		{"a write that hands its lock on meanwhile", func(t *testing.T, tb *keylock.Table, raise func()) {
			w := acquire(t, tb, "k")
			raise()
			w.Handoff()
			w.Done()
		}, true},
		{"a write of another key", func(t *testing.T, tb *keylock.Table, raise func()) {
			before := acquire(t, tb, "before")
			raise()
			for i := range 1000 { // some of them in the same bucket
				acquire(t, tb, fmt.Sprint(i)).Unlock()
			}
			before.Unlock()
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tb := keylock.NewTable()
			var f keylock.Fence
			test.run(t, tb, func() { require.NoError(t, tb.Raise(&f, "k")) })
			assert.Equal(t, test.broken, f.Broken())
			var l keylock.Lock
			err := tb.AcquireRefill(t.Context(), &l, &f)
			if test.broken {
				require.ErrorIs(t, err, keylock.ErrFenced)
			} else {
				require.NoError(t, err)
				l.Unlock()
			}
			f.Lower()
			require.NoError(t, tb.Close(t.Context()))
			require.ErrorIs(t, tb.Raise(&f, "k"), keylock.ErrClosed)
		})
	}
}

// A refill is no write: it breaks no fence, and another refill waits for it.
func TestAcquireRefill_IsNoWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tb := keylock.NewTable()
		var f1, f2, f3 keylock.Fence
		var r1, r2 keylock.Lock
		require.NoError(t, tb.Raise(&f1, "k"))
		require.NoError(t, tb.Raise(&f2, "k"))
		require.NoError(t, tb.AcquireRefill(t.Context(), &r1, &f1))
		second := false
		go func() {
			assert.NoError(t, tb.AcquireRefill(t.Context(), &r2, &f2))
			second = true
		}()
		synctest.Wait()
		assert.False(t, second)
		require.NoError(t, tb.Raise(&f3, "k"))
		assert.False(t, f2.Broken())
		assert.False(t, f3.Broken(), "raised while a refill has the lock, and another waits for it")
		r1.Unlock()
		synctest.Wait()
		assert.True(t, second)
		r2.Unlock()
		f1.Lower()
		f2.Lower()
		f3.Lower()
		assert.True(t, tb.Untouched())
	})
}

// A fence that is broken while its owner waits for the lock is noticed when the
// lock comes: by a write that queues, which has begun, or by Break.
func TestAcquireFenced_BrokenWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, acquire := range map[string]func(*keylock.Table, context.Context, *keylock.Lock, *keylock.Fence) error{
		"refill": (*keylock.Table).AcquireRefill,
		"write":  (*keylock.Table).AcquireFenced,
	} {
		for _, by := range []string{"nothing", "a write", "Break"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					tb := keylock.NewTable()
					var f1, f2, f3 keylock.Fence
					var holder, waiter, w keylock.Lock
					require.NoError(t, tb.Raise(&f1, "k"))
					require.NoError(t, tb.Raise(&f2, "k"))
					require.NoError(t, tb.AcquireRefill(t.Context(), &holder, &f1))
					var err error
					go func() {
						if err = acquire(tb, t.Context(), &waiter, &f2); err == nil {
							waiter.Unlock()
						}
					}()
					synctest.Wait()
					assert.False(t, f2.Broken())
					switch by {
					case "a write":
						go func() {
							assert.NoError(t, tb.Acquire(t.Context(), &w, "k"))
							w.Unlock()
						}()
						synctest.Wait()
						require.NoError(t, tb.Raise(&f3, "k"))
						assert.True(t, f3.Broken(), "raised while a write waits")
						f3.Lower()
					case "Break":
						tb.Break("k")
					}
					assert.Equal(t, by != "nothing", f2.Broken())
					holder.Unlock()
					synctest.Wait()
					if by == "nothing" {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, keylock.ErrFenced)
						assert.Equal(t, keylock.Lock{}, waiter)
					}
					f1.Lower()
					f2.Lower()
					assert.True(t, tb.Untouched())
				})
			})
		}
	}
}

// Break breaks the fences that are raised when it is called, and only those of
// its key. It waits for nobody.
func TestBreak(t *testing.T) {
	t.Parallel()
	for name, crowd := range map[string]bool{"alone in the bucket": false, "in a shared bucket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tb := keylock.NewTable()
			other := sameBucket(tb, "k")
			var f1, f2, later, ofOther keylock.Fence
			var l keylock.Lock
			tb.Break("k") // nothing is raised
			assert.True(t, tb.Untouched())
			if crowd {
				require.NoError(t, tb.Raise(&ofOther, other))
				tb.Break("k")
				require.NoError(t, tb.Raise(&f2, "k"))
			}
			require.NoError(t, tb.Raise(&f1, "k"))
			tb.Break("k")
			assert.True(t, f1.Broken())
			assert.Equal(t, crowd, f2.Broken())
			assert.False(t, ofOther.Broken())
			require.ErrorIs(t, tb.AcquireRefill(t.Context(), &l, &f1), keylock.ErrFenced)
			require.ErrorIs(t, tb.AcquireFenced(t.Context(), &l, &f1), keylock.ErrFenced)

			require.NoError(t, tb.Raise(&later, "k"))
			assert.False(t, later.Broken(), "Break is no write that goes on")
			require.NoError(t, tb.AcquireRefill(t.Context(), &l, &later))
			tb.Break("k")
			assert.True(t, later.Broken(), "the holder of the lock can see it")
			l.Unlock()

			f1.Lower()
			later.Lower()
			if crowd {
				f2.Lower()
				ofOther.Lower()
			}
			assert.True(t, tb.Untouched())
			require.NoError(t, tb.Close(t.Context()))
			tb.Break("k")
		})
	}
}

// A lock may outlast the fence that it was acquired behind, and the fence may be
// raised for another key meanwhile.
func TestLower_BeforeUnlock(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	var f, g keylock.Fence
	var w keylock.Lock
	require.NoError(t, tb.Raise(&f, "k"))
	require.NoError(t, tb.AcquireFenced(t.Context(), &w, &f))
	f.Lower()
	require.NoError(t, tb.Raise(&f, "another"))
	require.NoError(t, tb.Raise(&g, "k"))
	assert.True(t, g.Broken(), "the write goes on")
	w.Unlock()
	assert.False(t, f.Broken())
	g.Lower()
	f.Lower()
	assert.True(t, tb.Untouched())
}

// A read that is alone in its bucket does not lock the bucket. A write finds it all
// the same, at each of its steps.
func TestFence_AloneMeetsWrite(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	const raised, refilling, released = 0, 1, 2
	for step, name := range []string{"raised", "refilling", "released"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tb := keylock.NewTable()
				var f keylock.Fence
				var r, w keylock.Lock
				require.NoError(t, tb.Raise(&f, "k"))
				if step >= refilling {
					require.NoError(t, tb.AcquireRefill(t.Context(), &r, &f))
				}
				if step >= released {
					r.Unlock()
				}
				written := false
				go func() {
					assert.NoError(t, tb.Acquire(t.Context(), &w, "k"))
					written = true
				}()
				synctest.Wait()
				assert.True(t, f.Broken())
				assert.Equal(t, step != refilling, written, "it waits only for the refill")
				present := map[int]string{raised: "2", refilling: "3", released: "2"}[step]
				require.ErrorContains(t, tb.Close(ended), "under way: "+present)
				if step == raised {
					require.ErrorIs(t, tb.AcquireRefill(t.Context(), &r, &f), keylock.ErrFenced)
				}
				if step == refilling {
					r.Unlock()
				}
				f.Lower()
				synctest.Wait()
				require.ErrorContains(t, tb.Close(ended), "under way: 1")
				w.Unlock()
				require.NoError(t, tb.Close(t.Context()))
			})
		})
	}
}

// A read that stays alone leaves nothing behind.
func TestFence_Alone(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	var f keylock.Fence
	var r keylock.Lock
	for range 2 {
		require.NoError(t, tb.Raise(&f, "k"))
		require.NoError(t, tb.AcquireRefill(t.Context(), &r, &f))
		r.Unlock()
		assert.False(t, f.Broken())
		f.Lower()
	}
	require.NoError(t, tb.Close(t.Context()))
}

// A fenced write breaks the fences of others and not its own.
func TestAcquireFenced_SparesOwnFence(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	var own, other keylock.Fence
	var w keylock.Lock
	require.NoError(t, tb.Raise(&own, "k"))
	require.NoError(t, tb.Raise(&other, "k"))
	require.NoError(t, tb.AcquireFenced(t.Context(), &w, &own))
	assert.False(t, own.Broken())
	assert.True(t, other.Broken())
	w.Unlock()
	own.Lower()
	other.Lower()
	require.NoError(t, tb.Close(t.Context()))
}

// A value that was read behind an unbroken fence is never older than the last write.
func TestFence_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	tb := keylock.NewTable()
	const keys = 3
	var source, copied [keys]int // only holders of the key's lock write either
	var mu [keys]sync.Mutex      // a store's: single accesses are atomic
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				k := rand.IntN(keys)
				var l keylock.Lock
				if rand.IntN(2) == 0 {
					assert.NoError(t, tb.Acquire(t.Context(), &l, fmt.Sprint(k)))
					mu[k].Lock()
					source[k]++
					mu[k].Unlock()
					copied[k] = source[k]
					l.Unlock()
					continue
				}
				var f keylock.Fence
				assert.NoError(t, tb.Raise(&f, fmt.Sprint(k)))
				mu[k].Lock()
				read := source[k]
				mu[k].Unlock()
				if tb.AcquireRefill(t.Context(), &l, &f) == nil {
					assert.LessOrEqual(t, copied[k], read)
					copied[k] = read
					l.Unlock()
				}
				f.Lower()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, source, copied)
	require.NoError(t, tb.Close(t.Context()))
}

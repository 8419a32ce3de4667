package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// node is a cache over an L2 that takes many keys at once, and can fail.
type node struct {
	*tiercache.Cache[string]
	l1, l2 *backendtest.Faults[string]
	map1   *backendtest.Map[string]
	store  *backendtest.Store[string]
}

func newNode(t *testing.T, opts ...tiercache.Option) node {
	t.Helper()
	n := node{map1: backendtest.NewMap[string](), store: backendtest.NewStore[string]()}
	n.l1, n.l2 = backendtest.WithFaults(n.map1), backendtest.WithFaults(n.store.Client())
	c, err := tiercache.New("users", n.l1, n.l2, append([]tiercache.Option{tiercache.WithTelemetry(tracing.Disabled())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) }) //nolint:usetesting // that of the test has ended
	n.Cache = c
	return n
}

// holds returns the values of a key in both tiers.
func (n node) holds(key string) (l1, l2 string) {
	return n.map1.Snapshot()[key].Value, n.store.Snapshot()[key].Value
}

func keysOf(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	return keys
}

// valued returns entries whose values tell their key and the round.
func valued(keys []string, round string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for _, key := range keys {
			if !yield(key, key+round) {
				return
			}
		}
	}
}

func TestSetMany_GetMany_DeleteMany(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, tiercache.WithWritePolicy(policy))
				keys := keysOf(20)
				require.NoError(t, n.SetMany(t.Context(), valued(keys, "a"), time.Hour))
				synctest.Wait() // detached writes
				assert.Equal(t, 1, n.l2.Calls(tier.Set), "one call of L2")
				for _, key := range keys {
					l1, l2 := n.holds(key)
					assert.Equal(t, key+"a", l2)
					assert.Contains(t, []string{"", l2}, l1)
				}
				got, err := n.GetMany(t.Context(), append([]string{"absent"}, keys...))
				require.NoError(t, err)
				require.Len(t, got, 21)
				assert.Equal(t, tiercache.Found[string]{}, got[0])
				for i, key := range keys {
					assert.Equal(t, tiercache.Found[string]{Value: key + "a", OK: true}, got[i+1])
				}
				require.NoError(t, n.DeleteMany(t.Context(), keys))
				assert.Empty(t, n.map1.Snapshot())
				assert.Empty(t, n.store.Snapshot())
			})
		})
	}
}

// Each key of a batch ends as it would have ended alone, under every policy and for
// every pair of outcomes.
func TestSetMany_OutcomesAreThoseOfSet(t *testing.T) {
	t.Parallel()
	faults := []backendtest.Fault{nil, backendtest.FailBefore(errRefused), backendtest.ApplyThenFail(lostError{})}
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var events, single []string
				note := func(list *[]string) tiercache.Option {
					var mu sync.Mutex
					return tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
						mu.Lock()
						defer mu.Unlock()
						*list = append(*list, fmt.Sprint(i.Key, i.L1.Outcome, i.L2.Outcome, i.Verdict))
					})
				}
				// Neither tier takes many keys, so that faults meet each of them.
				batch := newFixture(t, tiercache.WithWritePolicy(policy), note(&events))
				alone := newFixture(t, tiercache.WithWritePolicy(policy), note(&single))
				keys := keysOf(len(faults) * len(faults))
				errs := make([]error, len(keys))
				for i, key := range keys {
					alone.L1.Next(tier.Set, faults[i%len(faults)])
					alone.L2.Next(tier.Set, faults[i/len(faults)])
					errs[i] = alone.Set(t.Context(), key, key+"a", 0)
					synctest.Wait()
					alone.L1.Clear()
					alone.L2.Clear()
				}
				f1 := faultyByKey{batch.Map1, faults, func(i int) int { return i % len(faults) }, batch.L1.Describe()}
				f2 := faultyByKey{batch.Map2, faults, func(i int) int { return i / len(faults) }, batch.L2.Describe()}
				c, err := tiercache.New("users", f1, f2, tiercache.WithWritePolicy(policy), note(&events),
					tiercache.WithTelemetry(tracing.Disabled()))
				require.NoError(t, err)
				err = c.SetMany(t.Context(), valued(keys, "a"), 0)
				synctest.Wait()
				var failed *tiercache.BatchError
				if err != nil {
					require.ErrorAs(t, err, &failed)
				} else {
					failed = &tiercache.BatchError{}
				}
				for i := range keys {
					assert.Equal(t, errs[i], failed.Of(i), "%d: %v", i, errs[i])
				}
				slices.Sort(events)
				slices.Sort(single)
				assert.Equal(t, single, events)
				assert.Equal(t, alone.Map1.Snapshot(), batch.Map1.Snapshot())
				assert.Equal(t, alone.Map2.Snapshot(), batch.Map2.Snapshot())
				require.NoError(t, c.Close(t.Context()))
			})
		})
	}
}

// faultyByKey gives each key a fault of its own, for its first Set.
type faultyByKey struct {
	backends.Backend[string]
	faults []backendtest.Fault
	of     func(i int) int
	desc   backends.Description
}

func (f faultyByKey) Describe() backends.Description { return f.desc }

func (f faultyByKey) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	var i int
	if _, err := fmt.Sscanf(key, "k%d", &i); err != nil {
		return err
	}
	apply := func(ctx context.Context) error { return f.Backend.Set(ctx, key, entry) }
	if fault := f.faults[f.of(i)]; fault != nil {
		return fault(ctx, apply)
	}
	return apply(ctx)
}

// A batch whose L2 fails at one position: that key has an error and an event.
func TestSetMany_FaultAtEachPosition(t *testing.T) {
	t.Parallel()
	const size = 5
	for i := range size {
		var keys []string
		n := newNode(t, tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			keys = append(keys, i.Key)
		}))
		n.l2.NextAt(tier.Set, 0, slices.Insert(make([]backendtest.Fault, i), i, backendtest.FailBefore(errRefused))...)
		err := n.SetMany(t.Context(), valued(keysOf(size), "a"), 0)
		var failed *tiercache.BatchError
		require.ErrorAs(t, err, &failed)
		require.Len(t, failed.Errors, 1)
		require.ErrorIs(t, err, tiercache.ErrInconsistent)
		require.ErrorIs(t, failed.Of(keyIndex(t, n, size)), errRefused)
		assert.Equal(t, []string{fmt.Sprint("k", failed.Errors[0].Index)}, keys)
		assert.NotContains(t, err.Error(), keys[0])
	}
}

// keyIndex returns the index of the key that L2 lacks.
func keyIndex(t *testing.T, n node, size int) int {
	t.Helper()
	for i, key := range keysOf(size) {
		if l1, l2 := n.holds(key); l2 == "" {
			assert.Equal(t, key+"a", l1)
			return i
		}
	}
	t.Fatal("L2 lacks none")
	return 0
}

// The same key twice: the later value stays, in both tiers.
func TestSetMany_SameKeyTwice(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	pairs := func(yield func(key, value string) bool) {
		for _, value := range []string{"1", "2", "3"} {
			if !yield("k", value) || !yield("other", value) {
				return
			}
		}
	}
	require.NoError(t, n.SetMany(t.Context(), pairs, 0))
	for _, key := range []string{"k", "other"} {
		l1, l2 := n.holds(key)
		assert.Equal(t, []string{"3", "3"}, []string{l1, l2})
	}
}

// A key that another write has locked does not keep the others waiting.
func TestSetMany_BusyKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		gate := make(chan struct{})
		n.l2.Next(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
			<-gate
			return apply(ctx)
		})
		go func() { assert.NoError(t, n.Set(t.Context(), "k1", "other", 0)) }()
		synctest.Wait()
		done := make(chan error)
		go func() { done <- n.SetMany(t.Context(), valued(keysOf(3), "a"), 0) }()
		synctest.Wait()
		for _, key := range []string{"k0", "k2"} {
			_, l2 := n.holds(key)
			assert.Equal(t, key+"a", l2)
		}
		close(gate)
		require.NoError(t, <-done)
		l1, l2 := n.holds("k1")
		assert.Equal(t, []string{"k1a", "k1a"}, []string{l1, l2})
	})
}

// Batches of the same keys in any order end.
func TestSetMany_NoDeadlock(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	keys := keysOf(10)
	back := slices.Clone(keys)
	slices.Reverse(back)
	var wg sync.WaitGroup
	for i := range 40 {
		order := keys
		if i%2 == 1 {
			order = back
		}
		wg.Go(func() {
			assert.NoError(t, n.SetMany(t.Context(), valued(order, fmt.Sprint(i)), 0))
			_, err := n.GetMany(t.Context(), order)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	for _, key := range keys {
		l1, l2 := n.holds(key)
		assert.Equal(t, l2, l1)
	}
}

// The context ends the wait for a busy key, and nothing else.
func TestSetMany_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		n.l2.Next(tier.Set, backendtest.Delay(3*time.Second))
		go func() { assert.NoError(t, n.Set(t.Context(), "k1", "other", 0)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := n.SetMany(ctx, valued(keysOf(3), "a"), 0)
		var failed *tiercache.BatchError
		require.ErrorAs(t, err, &failed)
		require.Len(t, failed.Errors, 1)
		require.ErrorIs(t, failed.Of(1), context.DeadlineExceeded)
		assert.NotErrorIs(t, err, tiercache.ErrInconsistent)
	})
}

// Foreign code in a batch: the batch ends, its keys are unlocked.
func TestBatch_Misconduct(t *testing.T) {
	t.Parallel()
	misconduct := map[string]func(){"panics": func() { panic("oh") }, "exits": runtime.Goexit}
	for name, does := range misconduct {
		fault := func(ctx context.Context, apply func(context.Context) error) error { does(); return apply(ctx) }
		policy := writepolicy.PolicyFunc(func(context.Context, writepolicy.Op, writepolicy.Tier, writepolicy.Tier) error { does(); return nil })
		for where, run := range map[string]func(t *testing.T, n node) error{
			"l1": func(t *testing.T, n node) error {
				n.l1.Next(tier.Set, fault)
				return n.SetMany(t.Context(), valued(keysOf(3), "a"), 0)
			},
			"l2": func(t *testing.T, n node) error {
				n.l2.Next(tier.Set, fault)
				return n.SetMany(t.Context(), valued(keysOf(3), "a"), 0)
			},
			"reads": func(t *testing.T, n node) error {
				n.l2.Next(tier.Get, fault)
				_, err := n.GetMany(t.Context(), keysOf(3))
				return err
			},
			"loader": func(t *testing.T, n node) error {
				_, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, func(context.Context, []string) (map[string]string, error) {
					does()
					return nil, nil
				})
				return err
			},
			"policy": func(t *testing.T, _ node) error {
				return newNode(t, tiercache.WithWritePolicy(policy)).SetMany(t.Context(), valued(keysOf(3), "a"), 0)
			},
		} {
			t.Run(where+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := newNode(t)
					var err error
					ended := make(chan struct{})
					go func() { // which a tier may end, as it ends that of a single Get
						defer close(ended)
						err = errExited
						err = run(t, n)
					}()
					<-ended
					require.Error(t, err)
					require.NoError(t, n.SetMany(t.Context(), valued(keysOf(3), "b"), 0))
					for _, key := range keysOf(3) {
						l1, l2 := n.holds(key)
						assert.Equal(t, []string{key + "b", key + "b"}, []string{l1, l2})
					}
				})
			})
		}
	}
}

var errExited = errors.New("the goroutine was ended")

func TestGetMany_RefillsL1(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	keys := keysOf(10)
	for _, key := range keys[:6] {
		require.NoError(t, n.l2.Set(t.Context(), key, backends.Entry[string]{Value: key}))
	}
	require.NoError(t, n.l1.Set(t.Context(), "k9", backends.Entry[string]{Value: "k9"}))
	for range 2 {
		got, err := n.GetMany(t.Context(), keys)
		require.NoError(t, err)
		for i, key := range keys {
			assert.Equal(t, i < 6 || i == 9, got[i].OK)
			if got[i].OK {
				assert.Equal(t, key, got[i].Value)
			}
		}
	}
	assert.Equal(t, 2, n.l2.Calls(tier.Get), "one call each, for what L1 lacks")
	assert.Len(t, n.map1.Snapshot(), 7)
}

// A value that was read before a write does not get into L1 after it.
func TestGetMany_Fenced(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	keys := keysOf(3)
	require.NoError(t, n.SetMany(t.Context(), valued(keys, "a"), 0))
	for _, key := range keys {
		require.NoError(t, n.map1.Delete(t.Context(), key))
	}
	n.l2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
		err := apply(ctx)
		assert.NoError(t, n.Set(ctx, "k1", "new", 0))
		return err
	})
	got, err := n.GetMany(t.Context(), keys)
	require.NoError(t, err)
	assert.Equal(t, "new", got[1].Value, "others get it already")
	l1, _ := n.holds("k1")
	assert.Equal(t, "new", l1)
	l1, _ = n.holds("k2")
	assert.Equal(t, "k2a", l1)
}

// A read of both tiers prefers the fresher value, as a single one does.
func TestGetMany_Parallel(t *testing.T) {
	t.Parallel()
	n := newNode(t, tiercache.WithReadPolicy(readpolicy.Parallel()))
	soon, later := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
	require.NoError(t, n.map1.Set(t.Context(), "k0", backends.Entry[string]{Value: "l1", ExpiresAt: soon}))
	require.NoError(t, n.l2.Set(t.Context(), "k0", backends.Entry[string]{Value: "l2", ExpiresAt: later}))
	got, err := n.GetMany(t.Context(), []string{"k0"})
	require.NoError(t, err)
	assert.Equal(t, "l2", got[0].Value)
}

func TestGetMany_Errors(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	require.NoError(t, n.SetMany(t.Context(), valued(keysOf(3), "a"), 0))
	n.l1.Next(tier.Get, backendtest.Lose(errRefused))
	require.NoError(t, n.map1.Delete(t.Context(), "k2"))
	n.l2.NextAt(tier.Get, 1, backendtest.Lose(errRefused))
	got, err := n.GetMany(t.Context(), []string{"k0", "k1", "k2", ""})
	var failed *tiercache.BatchError
	require.ErrorAs(t, err, &failed)
	require.Len(t, failed.Errors, 2)
	require.ErrorIs(t, failed.Of(2), errRefused)
	require.ErrorIs(t, failed.Of(3), tiercache.ErrInvalid)
	assert.Equal(t, "k0a", got[0].Value, "L2 has it")
	assert.Equal(t, "k1a", got[1].Value)
}

func loadAll(calls *atomic.Int32, round string, except ...string) tiercache.BatchLoader[string] {
	return func(_ context.Context, keys []string) (map[string]string, error) {
		calls.Add(1)
		values := maps.Collect(valued(keys, round))
		for _, key := range except {
			delete(values, key)
		}
		return values, nil
	}
}

func TestGetOrLoadMany(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, tiercache.WithWritePolicy(policy), tiercache.WithNegativeTTL(time.Minute))
				require.NoError(t, n.l2.Set(t.Context(), "k1", backends.Entry[string]{Value: "stored"}))
				before := n.l2.Calls(tier.Set)
				var calls atomic.Int32
				for range 2 {
					got, err := n.GetOrLoadMany(t.Context(), keysOf(5), time.Hour, loadAll(&calls, "loaded", "k3"))
					require.NoError(t, err)
					assert.Equal(t, []tiercache.Found[string]{
						{Value: "k0loaded", OK: true}, {Value: "stored", OK: true}, {Value: "k2loaded", OK: true}, {}, {Value: "k4loaded", OK: true},
					}, got)
					synctest.Wait()
				}
				assert.EqualValues(t, 1, calls.Load(), "the absent key is remembered")
				assert.Equal(t, 1, n.l2.Calls(tier.Set)-before, "one call of L2")
				_, l2 := n.holds("k4")
				assert.Equal(t, "k4loaded", l2)
			})
		})
	}
}

// A key that is being loaded by another caller is not loaded again, and its slow loader
// does not keep the other keys from being loaded.
func TestGetOrLoadMany_SharesFlights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		gate := make(chan struct{})
		go func() {
			value, err := n.GetOrLoad(t.Context(), "k1", 0, func(context.Context, string) (string, error) {
				<-gate
				return "single", nil
			})
			assert.NoError(t, err)
			assert.Equal(t, "single", value)
		}()
		synctest.Wait()
		var calls atomic.Int32
		done := make(chan []tiercache.Found[string])
		go func() {
			got, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(&calls, "many"))
			assert.NoError(t, err)
			done <- got
		}()
		synctest.Wait()
		assert.EqualValues(t, 1, calls.Load())
		value, err := n.GetOrLoad(t.Context(), "k2", 0, func(context.Context, string) (string, error) { return "late", nil })
		require.NoError(t, err)
		assert.Equal(t, "k2many", value)
		close(gate)
		got := <-done
		assert.Equal(t, "single", got[1].Value)
		assert.Equal(t, "k0many", got[0].Value)
	})
}

// The loader asks for a key that it loads: an error, at once.
func TestGetOrLoadMany_Reentrant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		_, err := n.GetOrLoadMany(t.Context(), keysOf(2), 0, func(ctx context.Context, _ []string) (map[string]string, error) {
			_, err := n.GetOrLoad(ctx, "k1", 0, func(context.Context, string) (string, error) { return "inner", nil })
			return nil, err
		})
		require.ErrorIs(t, err, tiercache.ErrReentrant)
		_, err = n.GetOrLoadMany(t.Context(), keysOf(2), 0, func(ctx context.Context, _ []string) (map[string]string, error) {
			var calls atomic.Int32
			_, err := n.GetOrLoadMany(ctx, []string{"k0"}, 0, loadAll(&calls, ""))
			return nil, err
		})
		require.ErrorIs(t, err, tiercache.ErrReentrant)
	})
}

// The caller of the batch leaves; another one that waits for a key of it gets the value.
func TestGetOrLoadMany_CallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		gate := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := n.GetOrLoadMany(ctx, keysOf(2), 0, func(ctx context.Context, keys []string) (map[string]string, error) {
				select {
				case <-gate:
					return maps.Collect(valued(keys, "a")), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			ended <- err
		}()
		synctest.Wait()
		got := make(chan string)
		go func() {
			value, err := n.GetOrLoad(t.Context(), "k1", 0, func(context.Context, string) (string, error) { return "b", nil })
			assert.NoError(t, err)
			got <- value
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		synctest.Wait() // the loader would notice by now if its context had ended
		close(gate)
		assert.Equal(t, "k1a", <-got)
	})
}

// Everybody leaves: the loader is told.
func TestGetOrLoadMany_AllLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := n.GetOrLoadMany(ctx, keysOf(2), 0, func(ctx context.Context, _ []string) (map[string]string, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestGetOrLoadMany_LoaderFails(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	_, err := n.GetOrLoadMany(t.Context(), []string{secretKey, "k"}, 0, func(context.Context, []string) (map[string]string, error) {
		return nil, errors.New("no row for " + secretKey)
	})
	var failed *tiercache.LoadError
	require.ErrorAs(t, err, &failed)
	assert.NotContains(t, err.Error(), secretKey)
}

func TestBatch_Empty(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var calls atomic.Int32
	require.NoError(t, n.SetMany(t.Context(), nil, 0))
	require.NoError(t, n.DeleteMany(t.Context(), nil))
	got, err := n.GetMany(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, got)
	got, err = n.GetOrLoadMany(t.Context(), nil, 0, loadAll(&calls, ""))
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Zero(t, calls.Load())

	require.ErrorIs(t, n.SetMany(t.Context(), nil, -1), tiercache.ErrInvalid)
	_, err = n.GetOrLoadMany(t.Context(), nil, -1, loadAll(&calls, ""))
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = n.GetOrLoadMany(t.Context(), nil, 0, nil)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
}

package tracing_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// fixture is a cache over two stores that can be given faults.
type fixture struct {
	*tiercache.Cache[string]
	l1, l2 *backendtest.Faults[string]
}

// scenario is a use of a cache. All of them together show everything that a cache emits.
type scenario struct {
	opts []tiercache.Option
	run  func(t *testing.T, f fixture)
}

var (
	errRefused = errors.New("refused")

	refuse = backendtest.FailBefore(errRefused)
	lose   = backendtest.ApplyThenFail(repliedError{"OOM"})
)

// set sets a key after the tiers were given a fault for it, or nil.
func set(l1, l2 backendtest.Fault) func(*testing.T, fixture) {
	return func(t *testing.T, f fixture) {
		f.l1.Next(tier.Set, l1)
		f.l2.Next(tier.Set, l2)
		_ = f.Set(t.Context(), "k", "v", time.Hour)
	}
}

func load(value string, err error) tiercache.Loader[string] {
	return func(context.Context, string) (string, error) { return value, err }
}

func (f fixture) load(t *testing.T, l tiercache.Loader[string]) {
	_, _ = f.GetOrLoad(t.Context(), "k", time.Second, l)
}

func (f fixture) get(t *testing.T) { _, _, _ = f.Get(t.Context(), "k") }

// putL2 stores a value in L2 alone.
func (f fixture) putL2(t *testing.T) {
	t.Helper()
	require.NoError(t, f.l2.Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
}

func writes(p writepolicy.Policy) []tiercache.Option {
	return []tiercache.Option{tiercache.WithWritePolicy(p)}
}

func scenarios() []scenario {
	parallel, invalidating := writes(writepolicy.Parallel()), writes(writepolicy.Sequential(writepolicy.InvalidateL1()))
	return []scenario{
		// Writes: each outcome in each tier, each stale tier, each compensation.
		{run: set(nil, nil)},
		{run: set(nil, refuse)},
		{run: func(t *testing.T, f fixture) {
			set(nil, refuse)(t, f)
			set(nil, refuse)(t, f) // of the same second
		}},
		{run: set(nil, lose)},
		{run: set(lose, nil)},
		{run: set(nil, backendtest.Panic("v"))},
		{opts: parallel, run: set(refuse, nil)},
		{opts: parallel, run: set(lose, lose)},
		{opts: invalidating, run: set(nil, refuse)},
		{opts: invalidating, run: func(t *testing.T, f fixture) {
			f.l1.Next(tier.Delete, refuse)
			set(nil, refuse)(t, f)
		}},
		{opts: writes(writepolicy.PolicyFunc(compensateL2)), run: set(nil, nil)},
		{run: func(t *testing.T, f fixture) {
			require.NoError(t, f.Delete(t.Context(), "k"))
			f.l2.Next(tier.Delete, refuse)
			require.Error(t, f.Delete(t.Context(), "k"))
		}},
		{run: func(t *testing.T, f fixture) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, f.Set(ctx, "k", "v", 0))
		}},
		// Writes that L2 decides: each condition, and a refusal.
		{run: func(t *testing.T, f fixture) {
			for range 2 {
				_, _, err := f.SetIfAbsent(t.Context(), "k", "v", 0)
				require.NoError(t, err)
			}
			_, err := f.Update(t.Context(), "k", 0, func(old string, _ bool) (string, error) { return old, errRefused })
			require.Error(t, err)
			_, err = f.Update(t.Context(), "k", 0, func(string, bool) (string, error) { panic("v") })
			require.Error(t, err)
			_, err = f.Update(t.Context(), "k", 0, func(old string, _ bool) (string, error) { return old, nil })
			require.NoError(t, err)
		}},
		{opts: []tiercache.Option{tiercache.WithSourceVersion(func(v string) uint64 { return uint64(len(v)) })}, run: func(t *testing.T, f fixture) {
			require.NoError(t, f.Set(t.Context(), "k", "newer", 0))
			require.NoError(t, f.DeleteVersion(t.Context(), "k", 1))
			require.NoError(t, f.Set(t.Context(), "k", "old", 0))
			f.loadNewer(t)
		}},
		{opts: []tiercache.Option{tiercache.WithConditionalLoads()}, run: func(t *testing.T, f fixture) {
			f.loadNewer(t)
		}},
		// Batches: each operation, a tier that fails for some keys, and compensation.
		{opts: invalidating, run: func(t *testing.T, f fixture) {
			keys := []string{"k", "another"}
			f.l2.NextAt(tier.Set, 0, refuse)
			require.Error(t, f.SetMany(t.Context(), same(keys), 0))
			_, err := f.GetMany(t.Context(), append(keys, "absent"))
			require.NoError(t, err)
			require.NoError(t, f.l1.Delete(t.Context(), "another"))
			_, err = f.GetMany(t.Context(), keys)
			require.NoError(t, err)
			_, err = f.GetOrLoadMany(t.Context(), append(keys, "absent"), time.Second, loadMany(nil))
			require.NoError(t, err)
			_, err = f.GetOrLoadMany(t.Context(), []string{"absent"}, time.Second, loadMany(errRefused))
			require.Error(t, err)
			require.NoError(t, f.DeleteMany(t.Context(), keys))
		}},
		{opts: writes(writepolicy.PolicyFunc(compensateL2)), run: func(t *testing.T, f fixture) {
			require.NoError(t, f.SetMany(t.Context(), same([]string{"k", "another"}), 0))
		}},
		// A batch whose detached writes fail after it has returned.
		{opts: writes(writepolicy.Race()), run: func(t *testing.T, f fixture) {
			f.l2.NextAt(tier.Set, 0, backendtest.Chain(backendtest.Delay(time.Minute), refuse))
			require.NoError(t, f.SetMany(t.Context(), same([]string{"k", "another"}), 0))
		}},
		// A detached write, for whose key a second writer waits.
		{opts: writes(writepolicy.Race()), run: func(t *testing.T, f fixture) {
			set(nil, backendtest.Chain(backendtest.Delay(time.Second), refuse))(t, f)
			require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		}},
		// Reads: each result.
		{run: func(t *testing.T, f fixture) { set(nil, nil)(t, f); f.get(t) }},
		{opts: []tiercache.Option{tiercache.WithL1HitSpans()}, run: func(t *testing.T, f fixture) { set(nil, nil)(t, f); f.get(t) }},
		{run: func(t *testing.T, f fixture) { f.putL2(t); f.get(t) }},
		{opts: []tiercache.Option{tiercache.WithRefill(tiercache.RefillNever)}, run: func(t *testing.T, f fixture) { f.putL2(t); f.get(t) }},
		{run: func(t *testing.T, f fixture) { f.putL2(t); f.l1.Next(tier.Set, refuse); f.get(t) }},
		{run: fencedBy(func(f fixture, ctx context.Context) error { return f.Set(ctx, "k", "new", 0) })},
		{run: fencedBy(func(f fixture, ctx context.Context) error { return f.Delete(ctx, "k") })},
		{run: func(t *testing.T, f fixture) { f.get(t) }},
		{run: func(t *testing.T, f fixture) {
			f.l1.Next(tier.Get, backendtest.Lose(errRefused))
			f.l2.Next(tier.Get, backendtest.Lose(repliedError{"LOADING"}))
			f.get(t)
		}},
		{run: func(t *testing.T, f fixture) {
			f.l2.Next(tier.Get, backendtest.Panic("v"))
			f.get(t)
		}},
		{run: func(t *testing.T, f fixture) { f.load(t, load("v", nil)) }},
		{
			opts: append(writes(writepolicy.WriteAround()), tiercache.WithKeepLoaded(time.Minute), tiercache.WithL1HitSpans()),
			run: func(t *testing.T, f fixture) {
				f.l2.Next(tier.Set, refuse)
				_, err := f.GetOrLoad(t.Context(), "k", time.Hour, load("v", nil))
				require.NoError(t, err)
				f.get(t)
			},
		},
		{run: func(t *testing.T, f fixture) { f.load(t, load("", errRefused)) }},
		{run: func(t *testing.T, f fixture) { f.l2.Next(tier.Stage, refuse); f.load(t, load("v", nil)) }},
		{run: func(t *testing.T, f fixture) { f.load(t, func(context.Context, string) (string, error) { panic("v") }) }},
		{opts: []tiercache.Option{tiercache.WithNegativeTTL(time.Hour)}, run: func(t *testing.T, f fixture) {
			f.load(t, load("", backends.ErrNotFound))
			f.load(t, load("v", nil))
		}},
		{opts: []tiercache.Option{tiercache.WithStaleIfError(time.Hour)}, run: func(t *testing.T, f fixture) {
			f.load(t, load("v", nil))
			<-time.After(time.Minute)
			f.load(t, load("", errRefused))
		}},
		{run: func(t *testing.T, f fixture) {
			go f.load(t, func(context.Context, string) (string, error) { <-time.After(time.Hour); return "v", nil })
			<-time.After(time.Minute)
			f.load(t, load("another", nil))
		}},
	}
}

// same has each key as its value.
func same(keys []string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for _, key := range keys {
			if !yield(key, key) {
				return
			}
		}
	}
}

// loadMany has no value for the key "absent".
func loadMany(err error) tiercache.BatchLoader[string] {
	return func(_ context.Context, keys []string) (map[string]string, error) {
		values := maps.Collect(same(keys))
		delete(values, "absent")
		return values, err
	}
}

// loadNewer loads a value while L2 gets a newer one.
func (f fixture) loadNewer(t *testing.T) {
	t.Helper()
	_, err := f.GetOrLoad(t.Context(), "another", time.Second, func(ctx context.Context, key string) (string, error) {
		_, err := f.l2.Write(ctx, &backends.Write[string]{Key: key, Kind: tier.Set, Source: 9})
		return "old", err
	})
	require.NoError(t, err)
}

// compensateL2 drops the copy of L2, as no built-in policy does.
func compensateL2(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	return errors.Join(l1.Write(ctx), l2.Write(ctx), l2.Compensate(ctx))
}

// fencedBy reads an entry of L2 which a write replaces before it can refill L1.
func fencedBy(write func(fixture, context.Context) error) func(*testing.T, fixture) {
	return func(t *testing.T, f fixture) {
		f.putL2(t)
		f.l2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
			err := apply(ctx)
			assert.NoError(t, write(f, t.Context()))
			return err
		})
		f.get(t)
	}
}

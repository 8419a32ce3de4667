package tiercache_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A Set of the default policy, over two tiers in the process and with telemetry off, has
// a shorter way through the engine. These tests compare it with the ordinary way, which
// the same policy takes under another name.

// compareDirect reports a run on both ways, and returns what the shorter one does.
func compareDirect(t *testing.T, run directRun) (got []string) {
	t.Helper()
	ordinary := run
	ordinary.policy = writepolicy.WithName(writepolicy.NameOf(run.policy), run.policy)
	want := ordinary.report(t)
	assert.NotContains(t, strings.Join(want, ""), "directly")
	got = run.report(t)
	alike := slices.Clone(got)
	for i := range alike {
		alike[i] = strings.ReplaceAll(alike[i], "set, directly", "set")
	}
	assert.Equal(t, want, alike, "%s", run)
	return got
}

// Every pair of fates of the two calls ends alike on both ways, whatever becomes of the
// policy's compensation.
func TestSetDirect_EndsAlike(t *testing.T) {
	t.Parallel()
	fates := directFaults()
	for _, l1 := range fates {
		for _, l2 := range fates {
			compareDirectRuns(t, l1, l2, fates)
		}
	}
}

// Errors that are hard to read, of one tier or the other, end alike.
func TestSetDirect_BadErrors(t *testing.T) {
	t.Parallel()
	fine := directFaults()[:1]
	for name, err := range badErrors() {
		bad := directFault{"error " + name, backendtest.Lose(err)}
		compareDirectRuns(t, bad, fine[0], fine)
		compareDirectRuns(t, fine[0], bad, fine)
	}
}

func compareDirectRuns(t *testing.T, l1, l2 directFault, drops []directFault) {
	t.Helper()
	t.Run("l1 "+l1.name+"/l2 "+l2.name, func(t *testing.T) {
		t.Parallel()
		cancellable, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, ctx := range []context.Context{context.Background(), cancellable} { //nolint:usetesting // the test's own can end
			runs := []directRun{{policy: writepolicy.Sequential(), ctx: ctx, l1: l1, l2: l2}}
			for _, drop := range drops {
				runs = append(runs, directRun{policy: writepolicy.Sequential(writepolicy.InvalidateL1()), ctx: ctx, l1: l1, l2: l2, drop: drop})
			}
			for _, run := range runs {
				got := compareDirect(t, run)
				assert.Contains(t, strings.Join(got, ""), "set, directly")
			}
		}
	})
}

// The TTL is that of the entry in both tiers, and 0 is none.
func TestSetDirect_TTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := &directTier{Map: backendtest.NewMap[string]()}, &directTier{Map: backendtest.NewMap[string]()}
		cache, err := tiercache.New[string]("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		for ttl, want := range map[time.Duration]time.Time{0: {}, time.Nanosecond: time.Now().Add(1), time.Hour: time.Now().Add(time.Hour)} {
			require.NoError(t, cache.Set(t.Context(), "k", "v", ttl))
			for _, tier := range []*directTier{l1, l2} {
				entry := tier.Snapshot()["k"]
				assert.True(t, want.Equal(entry.ExpiresAt), "ttl %v: %v", ttl, entry.ExpiresAt)
			}
		}
		assert.Equal(t, []string{"set, directly", "set, directly", "set, directly"}, l1.calls)
		require.NoError(t, cache.Close(t.Context()))
	})
}

// A write whose context has ended touches no tier on either way.
func TestSetDirect_Cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	none := directFaults()[0]
	got := compareDirect(t, directRun{policy: writepolicy.Sequential(), ctx: ctx, l1: none, l2: none})
	assert.Contains(t, strings.Join(got, ""), "calls l1=[] l2=[]")
}

// The caller is cancelled while a tier is called: the write runs to its end.
func TestSetDirect_CancelledMeanwhile(t *testing.T) {
	t.Parallel()
	for _, end := range directFaults() {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range []writepolicy.Policy{writepolicy.Sequential(), writepolicy.WithName("sequential", writepolicy.Sequential())} {
				ctx, cancel := context.WithCancel(t.Context())
				cancels := directFault{"cancels the caller", func(ctx context.Context, apply func(context.Context) error) error {
					cancel()
					assert.NoError(t, ctx.Err())
					return apply(ctx)
				}}
				seen := directRun{policy: p, ctx: ctx, l1: cancels, l2: end}.report(t)
				assert.Contains(t, seen, `"value" expires=true`)
			}
		})
	}
}

// While a Set is in L1, the next writer of the key and Close wait for it, and a read of
// L2 refills nothing.
func TestSetDirect_HoldsTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := &directTier{Map: backendtest.NewMap[string]()}, &directTier{Map: backendtest.NewMap[string]()}
		require.NoError(t, l2.Map.Set(t.Context(), "k", backends.Entry[string]{Value: "old"}))
		cache, err := tiercache.New[string]("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		gate := backendtest.NewGate()
		l1.fault = gate.Before()
		begin := func(f func() error) chan error {
			done := make(chan error, 1)
			go func() { done <- f() }()
			synctest.Wait()
			return done
		}
		first := begin(func() error { return cache.Set(t.Context(), "k", "first", 0) })
		<-gate.Arrived()
		assert.Equal(t, []string{"set, directly"}, l1.calls)
		second := begin(func() error { return cache.Set(t.Context(), "k", "second", 0) })
		value, ok, err := cache.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "old", value)
		closed := begin(func() error { return cache.Close(t.Context()) })
		assert.Len(t, l1.calls, 1, "neither the second write nor a refill")
		assert.Empty(t, l2.calls)
		assert.Empty(t, closed)

		l1.fault = nil
		gate.Open()
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		require.NoError(t, <-closed)
		assert.Equal(t, []string{"set, directly", "set"}, l1.calls)
		assert.Equal(t, "second", l1.Snapshot()["k"].Value)
		assert.Equal(t, "second", l2.Snapshot()["k"].Value)
	})
}

// Where a call must be prepared, limited in time or observed, or the order of the calls
// is not known, a Set goes the ordinary way.
func TestSetDirect_NotTaken(t *testing.T) {
	t.Parallel()
	off := tiercache.WithTelemetry(tracing.Disabled())
	for name, test := range map[string]struct {
		opts []tiercache.Option
		wrap func(l2 *directTier) backends.Backend[string]
	}{
		"another TTL in L1":   {opts: []tiercache.Option{off, tiercache.WithL1TTL(time.Minute, 0)}},
		"stale entries in L1": {opts: []tiercache.Option{off, tiercache.WithStaleIfError(time.Minute)}},
		"L2 first":            {opts: []tiercache.Option{off, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))}},
		"a custom policy":     {opts: []tiercache.Option{off, tiercache.WithWritePolicy(foreign(writepolicy.Sequential()))}},
		"traced":              {opts: newRecorder().options()},
		"L2 is remote":        {opts: []tiercache.Option{off}, wrap: func(l2 *directTier) backends.Backend[string] { return directRemote{l2} }},
		"L2 stages":           {opts: []tiercache.Option{off}, wrap: func(l2 *directTier) backends.Backend[string] { return directStager{l2} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l1, l2 := &directTier{Map: backendtest.NewMap[string]()}, &directTier{Map: backendtest.NewMap[string]()}
			var second backends.Backend[string] = l2
			if test.wrap != nil {
				second = test.wrap(l2)
			}
			cache, err := tiercache.New[string]("users", l1, second, test.opts...)
			require.NoError(t, err)
			require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
			assert.Equal(t, []string{"set"}, l1.calls)
			assert.Equal(t, []string{"set"}, l2.calls)
		})
	}
}

type directRemote struct{ *directTier }

func (directRemote) Describe() backends.Description { return backends.Description{System: "fake"} }

type directStager struct{ *directTier }

func (d directStager) Stage(_ context.Context, key string, entry backends.Entry[string]) (set func(ctx context.Context) error, err error) {
	return func(ctx context.Context) error { return d.Set(ctx, key, entry) }, nil
}

package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// What New refuses, and why.
func TestWithCoherence_Refused(t *testing.T) {
	t.Parallel()
	able := backends.Abilities{Versions: true, Log: true}
	l2 := func(a backends.Abilities) backends.Backend[string] {
		return backendtest.NewStore[string]().Client().Described(backends.Description{System: "fake", Abilities: a})
	}
	l1 := func(d backends.Description) backends.Backend[string] {
		return backendtest.WithFaults[string](backendtest.NewMap[string]()).Described(d)
	}
	good := l1(backends.Description{InProcess: true, Abilities: backends.Abilities{Stamps: true, Walks: true}})
	for name, test := range map[string]struct {
		bound  time.Duration
		onLost tiercache.OnLost
		l1, l2 backends.Backend[string]
		want   string
	}{
		"no bound":       {0, tiercache.AskL2, good, l2(able), "the bound is 0s: it must be at least 500ms"},
		"a short bound":  {499 * time.Millisecond, tiercache.AskL2, good, l2(able), "the bound is 499ms"},
		"no answer":      {bound, 0, good, l2(able), "AskL2 or ServeStale"},
		"another answer": {bound, 3, good, l2(able), "AskL2 or ServeStale"},
		"no log":         {bound, tiercache.AskL2, good, l2(backends.Abilities{Versions: true}), "log all changes"},
		"no versions":    {bound, tiercache.AskL2, good, l2(backends.Abilities{Log: true}), "issue versions"},
		"replicas":       {bound, tiercache.AskL2, good, l2(backends.Abilities{Versions: true, Log: true, StaleReads: true}), "reads replicas"},
		"no stamps":      {bound, tiercache.AskL2, l1(backends.Description{InProcess: true, Abilities: backends.Abilities{Walks: true}}), l2(able), "keep stamps"},
		"no walks":       {bound, tiercache.AskL2, l1(backends.Description{InProcess: true, Abilities: backends.Abilities{Stamps: true}}), l2(able), "allow walks"},
		"a remote L1":    {bound, tiercache.AskL2, l1(backends.Description{Abilities: backends.Abilities{Stamps: true, Walks: true}}), l2(able), "in the process"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tiercache.New("users", test.l1, test.l2, tiercache.WithCoherence(test.bound, test.onLost))
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// An L2 that nobody else can write to needs no log.
func TestWithCoherence_Alone(t *testing.T) {
	t.Parallel()
	for name, desc := range map[string]backends.Description{
		"in the process": {InProcess: true}, "on the disk": {System: "badger", Local: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache, err := tiercache.New("users", backendtest.NewMap[string](),
				backendtest.WithFaults[string](backendtest.NewMap[string]()).Described(desc),
				tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
			require.NoError(t, err)
			require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
			entry, ok, err := cache.GetEntry(t.Context(), "k")
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, tier.L1, entry.Tier)
			assert.Equal(t, tiercache.Status{}, cache.Status())
			require.NoError(t, cache.Close(t.Context()))
		})
	}
}

// Several caches of one process may share an L2 that has a log.
func TestWithCoherence_InProcess(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	desc := backends.Description{InProcess: true, Abilities: backends.Abilities{Versions: true, Log: true}}
	client, other := s.Client().Described(desc), s.Client()
	cache, err := tiercache.New("users", backendtest.NewMap[string](), client,
		tiercache.WithCoherence(time.Hour, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
	require.NoError(t, err)
	<-client.Watched()
	require.True(t, client.Sync())
	get := func() string {
		entry, _, err := cache.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		return entry.Value + " " + entry.Tier.String()
	}
	require.NoError(t, cache.Set(t.Context(), "k", "old", 0))
	assert.Equal(t, "old l1", get())
	require.NoError(t, other.Set(t.Context(), "k", backends.Entry[string]{Value: "new"}))
	require.True(t, client.Sync())
	assert.Equal(t, "new l2", get())
	require.NoError(t, cache.Close(t.Context()))
}

// deaf is an L2 whose reader does not end when it should.
type deaf struct {
	*backendtest.Client[string]
	end chan struct{}
}

func (d deaf) Watch(context.Context, backends.Sink) error {
	<-d.end
	return errDown
}

// Close waits for the reader of L2's changes, and says so when it gives up.
func TestWithCoherence_Close(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l2 := deaf{backendtest.NewStore[string]().Client(), make(chan struct{})}
		cache, err := tiercache.New("users", backendtest.NewMap[string](), l2,
			tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = cache.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "the reader of l2's changes is still running")
		close(l2.end)
		require.NoError(t, cache.Close(t.Context()))
		assert.Equal(t, "closed", cache.Status().Coherence.Cause)
	})
}

// A store that turns out not to be watchable is never trusted, and says so.
func TestWithCoherence_Unsupported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := backendtest.NewStore[string]().Client()
		client.DenyWatch()
		cache, err := tiercache.New("users", backendtest.NewMap[string](), client,
			tiercache.WithCoherence(bound, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, "unsupported", cache.Status().Coherence.Cause)
		require.NoError(t, cache.Set(t.Context(), "k", "v", 0))
		entry, _, err := cache.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, tier.L2, entry.Tier)
		require.NoError(t, cache.Close(t.Context()))
	})
}

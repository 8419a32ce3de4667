package tiercachetest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// closeTimeout is how long the end of a test waits for operations that are still
// under way. Anything that a cache bounds itself has ended before.
const closeTimeout = 2 * tiercache.DefaultWriteTimeout

// Fixture is a cache and its two tiers. It is safe for concurrent use.
type Fixture[V any] struct {
	*tiercache.Cache[V]
	*Tiers[V]
	closed atomic.Bool
}

// Close closes the cache; see [tiercache.Cache.Close]. After a Close that returned
// nil the end of the test does not close the cache again, which matters when the
// cache was closed in a bubble of testing/synctest.
func (f *Fixture[V]) Close(ctx context.Context) error {
	err := f.Cache.Close(ctx)
	if err == nil {
		f.closed.Store(true)
	}
	return err
}

// New returns a cache with the name "users" over new [Tiers]. Its telemetry is off
// unless opts choose it, for instance those of [Recorder.Options]. The cache is
// closed when the test ends; a test may close it earlier.
func New[V any](tb testing.TB, opts ...tiercache.Option) *Fixture[V] {
	tb.Helper()
	return Over(tb, NewTiers[V](), opts...)
}

// Over is like [New] for tiers that the test has prepared, or that belong to
// another cache too.
func Over[V any](tb testing.TB, tiers *Tiers[V], opts ...tiercache.Option) *Fixture[V] {
	tb.Helper()
	f := &Fixture[V]{Cache: open[V](tb, tiers.L1, tiers.L2, opts), Tiers: tiers}
	closeAtEnd(tb, f.Close, &f.closed)
	return f
}

// open makes a cache, or ends the test.
func open[V any](tb testing.TB, l1, l2 backends.Backend[V], opts []tiercache.Option) *tiercache.Cache[V] {
	tb.Helper()
	opts = append([]tiercache.Option{tiercache.WithTelemetry(tracing.Disabled())}, opts...)
	cache, err := tiercache.New("users", l1, l2, opts...)
	if err != nil {
		tb.Fatalf("tiercachetest: %v", err)
	}
	return cache
}

// closeAtEnd closes a cache when the test ends, unless that was done before.
func closeAtEnd(tb testing.TB, closeCache func(ctx context.Context) error, closed *atomic.Bool) {
	tb.Helper()
	tb.Cleanup(func() {
		if closed.Load() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout) //nolint:usetesting // tb's own has ended by now
		defer cancel()
		if err := closeCache(ctx); err != nil {
			tb.Errorf("tiercachetest: the test ends while the cache is still in use after %v: %v", closeTimeout.Round(time.Second), err)
		}
	})
}

package tiercachetest

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// Process is the cache of one of several processes that share a store: L1 is its own, with
// stamps and walks, and L2 a client of the store, with versions, conditions, batches
// and the log. Both fail as the test asks. It is safe for concurrent use.
type Process[V any] struct {
	*tiercache.Cache[V]

	// L1 and L2 are the backends of the cache. Without faults they pass each call on.
	L1, L2 *backendtest.Faults[V]

	// Map and Client are the stores of L1 and L2. Their calls bypass the faults and are
	// not counted. By Client the test says when this process reads the log.
	Map    *backendtest.Map[V]
	Client *backendtest.Client[V]

	store  *backendtest.Store[V]
	closed atomic.Bool
}

// NewProcess returns a cache with the name "users" over an empty L1 and a new client of
// store. Telemetry and the end of the test are as in [New].
func NewProcess[V any](tb testing.TB, store *backendtest.Store[V], opts ...tiercache.Option) *Process[V] {
	tb.Helper()
	p := &Process[V]{Map: backendtest.NewMap[V](), Client: store.Client(), store: store}
	p.L1, p.L2 = backendtest.WithFaults(p.Map), backendtest.WithFaults(p.Client)
	p.Cache = open[V](tb, p.L1, p.L2, opts)
	closeAtEnd(tb, p.Close, &p.closed)
	return p
}

// Close closes the cache, as [Fixture.Close] does.
func (p *Process[V]) Close(ctx context.Context) error {
	err := p.Cache.Close(ctx)
	if err == nil {
		p.closed.Store(true)
	}
	return err
}

// Holds returns the values that the tiers store at key, expired ones included. The
// zero value stands for an absent entry.
func (p *Process[V]) Holds(key string) (l1, l2 V) {
	return p.Map.Snapshot()[key].Value, p.store.Snapshot()[key].Value
}

package engine

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tier"
)

// Loader returns the value at a key from its source.
type Loader[V any] func(ctx context.Context, key string) (V, error)

// load is one read of the tiers and, if need be, one call of a loader, for all
// callers that share it.
type load[V any] struct {
	params[V]
	read *read[V]

	// stage is the step that the load has come to. The result is there from
	// stageWriting on, and from the arrival of the flight.
	stage atomic.Int32
	result[V]
	err     error
	decided time.Duration // the TTL that the loader has set; 0: none

	waiter waiter
	link   link // in the context of the flight

	background atomic.Pointer[func()] // ends the stay of the caller that nobody waits in
}

// The stages of a load, which the error of a cancelled caller names.
const (
	stageReading int32 = iota
	stageLoading
	stageWriting
)

func (l *load[V]) stageName() string {
	return [...]string{"reading the tiers", "loading", "writing the loaded value"}[l.stage.Load()]
}

// params are those of the caller that came first.
type params[V any] struct {
	loader Loader[V]
	ttl    time.Duration
	leader trace.SpanContext
	mode   readMode
	ahead  bool       // a refresh that no caller waits for
	member *member[V] // of a batch, from the callers of which the load comes; nil: none
}

// refreshes reports whether the load is made although the tiers may have a value.
func (p *params[V]) refreshes() bool { return p.ahead || p.mode == refresh }

// mayJoin reports whether a caller may get the result of the load l. Those who missed
// must not get that of a refresh, which fails although a tier may have a value. One who
// refreshes in the background only asks whether anybody loads.
func (p *params[V]) mayJoin(l *params[V]) bool {
	switch {
	case p.ahead:
		return true
	case p.mode == refresh:
		return l.refreshes()
	default:
		return !l.ahead && l.mode == p.mode
	}
}

// GetOrLoad returns the value at key, from the tiers or from the loader.
func (e *Engine[V]) GetOrLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V], opts []ReadOption) (value V, err error) {
	if e.fast != fastValue || len(opts) > 0 || e.checkLoad(ctx, key, ttl, loader) != nil {
		return e.getOrLoad(ctx, key, ttl, loader, opts)
	}
	value, hit, err := e.lookupValue(ctx, key)
	if hit && err == nil {
		e.tel.CountHit()
		return value, nil
	}
	return e.loadBeyond(ctx, key, ttl, loader, err)
}

// loadBeyond is apart from GetOrLoad, whose frame stays small (budget GetOrLoad/hit=l1).
func (e *Engine[V]) loadBeyond(ctx context.Context, key string, ttl time.Duration, loader Loader[V], l1Err error) (value V, err error) {
	return e.share(ctx, key, params[V]{loader: loader, ttl: ttl}, found[V]{err: e.missed(key, l1Err)})
}

// getOrLoad is GetOrLoad where more than the value of L1 is wanted.
func (e *Engine[V]) getOrLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V], opts []ReadOption) (value V, err error) {
	if err := e.checkLoad(ctx, key, ttl, loader); err != nil {
		return value, err
	}
	mode, err := modeOf(opts)
	switch {
	case err != nil:
		return value, err
	case mode == atLeast:
		return value, errAtLeast
	}
	var l1 found[V]
	if e.asksL1First(mode) {
		l1 = e.lookupL1(ctx, key)
		if l1.hit {
			e.countHit(&l1)
			e.refreshIfDue(ctx, key, e.ttlOf(l1.kept, ttl), l1.entry.ExpiresAt, loader)
			return l1.entry.Value, nil
		}
		e.tel.Count(tier.L1, l1.lookup())
	}
	return e.share(ctx, key, params[V]{loader: loader, ttl: ttl, mode: mode}, l1)
}

// asksL1First reports whether a read or load asks L1 before it is set up.
func (e *Engine[V]) asksL1First(mode readMode) bool {
	return mode == atLeast || e.fast != fastNone && mode != skipL1 && mode != refresh
}

// checkLoad returns the error of a load that cannot begin.
func (e *Engine[V]) checkLoad(ctx context.Context, key string, ttl time.Duration, loader Loader[V]) error {
	switch {
	case ttl < 0:
		return NegativeTTLError(ttl)
	case loader == nil:
		return errNilLoader
	default:
		return e.check(ctx, key)
	}
}

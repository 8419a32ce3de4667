package engine

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/flight"
)

// keepInBackground keeps a caller in the flight although it has left, until the timeout
// of loads that nobody waits for, or until Close. It reports false when another caller
// is kept already.
func (e *Engine[V]) keepInBackground(f *flight.Flight[load[V]]) bool {
	ctx, cancel := context.WithTimeout(e.life, e.config.BackgroundTimeout)
	stop := context.AfterFunc(ctx, func() { f.Leave(backends.ContextError(ctx)) })
	end := func() {
		stop()
		cancel()
	}
	if !f.Call.background.CompareAndSwap(nil, &end) {
		end()
		return false
	}
	select {
	case <-f.Arrived(): // it may have landed without seeing this
		end()
	default:
	}
	return true
}

// refreshIfDue begins a load in the background when a hit is about to expire. It
// belongs to the caller's trace. One that has failed is not repeated at once.
func (e *Engine[V]) refreshIfDue(ctx context.Context, key string, ttl time.Duration, expiresAt time.Time, loader Loader[V]) {
	if n, ok := e.decidedTTLs.get(key); ok && !n.past() {
		ttl = n.remark
	}
	if !e.lifetime.due(expiresAt, ttl) || e.failedRefreshes.Has(key) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.config.BackgroundTimeout)
	defer cancel() // only the deadline is wanted: the flight's context is another
	f, first, err := e.join(ctx, key, params[V]{
		loader: loader, ttl: ttl, leader: trace.SpanContextFromContext(ctx), ahead: true,
	})
	if err != nil {
		return
	}
	if !first {
		f.Leave(context.Canceled) // a load is under way already
		return
	}
	e.keepInBackground(f) //nolint:contextcheck // the refresh outlives its caller
	f.Run(e.fly(ctx, &f.Call), e.runRefresh, e.landed)
}

package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
)

// loaders are the calls of loaders that several loads of a key share while a write of
// the key is under way. Each of them reads the tiers for itself, because the write may
// have reached L2 since another one did:
//
//	t1  a delete begins, and is slow
//	t2  a load reads L2, which has nothing any more, and calls the loader
//	t3  another load finds nothing either: it may have the value of the same call
//	t4  the delete ends: who comes now must not get a value from before t4
//
// So the calls of a key are forgotten when a write of it begins or ends.
type loaders[V any] struct {
	group *flight.Group[loaderCall[V]]
	calls atomic.Int64 // under way; 0: there is nothing to forget
}

type loaderCall[V any] struct {
	value V
	ttl   time.Duration
	err   error
}

func (c *loaders[V]) forget(key string) {
	if c.calls.Load() > 0 {
		c.group.Forget(key)
	}
}

func (c *loaders[V]) forgetAll() { c.group.ForgetAll() }

// shareLoader calls the loader, or waits for another load that does.
func (l *load[V]) shareLoader(ctx context.Context) (value V, ttl time.Duration, err error) {
	c := &l.read.engine.loaders
	f, first, err := c.group.Join(ctx, l.read.key,
		func(*loaderCall[V]) bool { return true },
		func(call *loaderCall[V]) error {
			c.calls.Add(1)
			call.err = guard.ErrExited
			return nil
		})
	if err != nil {
		return value, 0, err
	}
	if first {
		l.runShared(ctx, f)
	} else { // the others of a batch do not wait for another caller's loader
		l.member.pause()
		defer l.member.resume()
	}
	select {
	case <-f.Arrived():
		return f.Call.value, f.Call.ttl, f.Call.err
	case <-ctx.Done():
		err := backends.ContextError(ctx)
		f.Leave(err)
		return value, 0, err
	}
}

// runShared calls the loader in a goroutine. That outlasts the loads if it does not heed its
// context, so Close waits for it too, unless the loader itself calls Close.
func (l *load[V]) runShared(ctx context.Context, f *flight.Flight[loaderCall[V]]) {
	e := l.read.engine
	link := &link{Context: ctx, cache: e.locks, read: true}
	e.goroutines.begin()
	f.Run(link, func(ctx context.Context, f *flight.Flight[loaderCall[V]]) { //nolint:contextcheck // link is a context made of ctx
		f.Call.value, f.Call.ttl, f.Call.err = l.callLoader(ctx, &f.Call.err)
	}, func(*flight.Flight[loaderCall[V]]) {
		e.loaders.calls.Add(-1)
		link.over.Store(true)
		e.goroutines.end()
	})
}

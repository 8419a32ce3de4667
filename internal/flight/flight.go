// Package flight shares one run of a function among all callers of a key.
//
// It differs from singleflight in four points. The run has a goroutine and a context of
// its own, so that every caller may leave, also the one that began it. When the last
// caller leaves, the run is cancelled for its reason; the context of the run has the
// latest of the callers' deadlines. The result may be there before the run has ended.
// And the callers decide which flight may be joined: one that began before a write of
// the key must not answer those who come after it.
package flight

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// shards are many, because a goroutine that loses its processor while it holds the lock of
// one keeps all others of the shard waiting until it runs again.
const shards = 1024

// Group holds the flights under way, at most one of a key that can be joined. Use
// [New]. It is safe for concurrent use.
type Group[T any] struct {
	seed   maphash.Seed
	shards atomic.Pointer[[shards]shard[T]] // nil until the first Join
}

// shard holds the flights of some keys, so that those of others do not contend for
// its lock.
type shard[T any] struct {
	mu    sync.Mutex
	byKey map[string]*Flight[T]
}

// Flight is one run and its callers.
type Flight[T any] struct {
	// Call is the caller's: its parameters are written before anybody else can
	// join, its results before Arrived is closed and only read afterwards.
	Call T

	key     string
	shard   *shard[T]
	arrived chan struct{}
	once    sync.Once // closes arrived

	mu       sync.Mutex // taken after the shard's, or without it
	callers  int        // when the last one has left, nobody can join
	deadline time.Time  // the latest of the callers'; zero: one of them has none
	cancel   context.CancelCauseFunc
}

// New returns a Group without flights.
func New[T any]() *Group[T] { return &Group[T]{seed: maphash.MakeSeed()} }

// shard returns the one of the key.
func (g *Group[T]) shard(key string) *shard[T] {
	all := g.shards.Load()
	if all == nil {
		g.shards.CompareAndSwap(nil, new([shards]shard[T]))
		all = g.shards.Load()
	}
	return &all[maphash.String(g.seed, key)%shards]
}

// Join adds a caller, whose context is ctx, to the flight of the key, if there is one
// that it may join, or to a new one, which begin makes ready. First reports a new
// flight: its caller must [Flight.Run] it. Begin and may are called under a lock and
// must not block.
func (g *Group[T]) Join(
	ctx context.Context, key string, may func(call *T) bool, begin func(call *T) error,
) (f *Flight[T], first bool, err error) {
	deadline, _ := ctx.Deadline()
	s := g.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.byKey[key]; f != nil && may(&f.Call) && f.join(deadline) {
		return f, false, nil
	}
	f = &Flight[T]{key: key, shard: s, arrived: make(chan struct{}), callers: 1, deadline: deadline}
	if err := begin(&f.Call); err != nil {
		return nil, false, err
	}
	if s.byKey == nil {
		s.byKey = make(map[string]*Flight[T])
	}
	s.byKey[key] = f
	return f, true, nil
}

// join adds a caller, unless all have left.
func (f *Flight[T]) join(deadline time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.callers == 0 {
		return false
	}
	f.callers++
	if deadline.IsZero() || !f.deadline.IsZero() && deadline.After(f.deadline) {
		f.deadline = deadline
	}
	return true
}

// Forget lets nobody join the flight of the key any more.
func (g *Group[T]) Forget(key string) {
	if g.shards.Load() == nil {
		return
	}
	s := g.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byKey, key)
}

// ForgetAll lets nobody join any flight of now.
func (g *Group[T]) ForgetAll() {
	all := g.shards.Load()
	if all == nil {
		return
	}
	for i := range all {
		s := &all[i]
		s.mu.Lock()
		clear(s.byKey)
		s.mu.Unlock()
	}
}

// Arrived is closed when the result is there.
func (f *Flight[T]) Arrived() <-chan struct{} { return f.arrived }

// Arrive closes [Flight.Arrived] before the run has ended.
func (f *Flight[T]) Arrive() { f.once.Do(func() { close(f.arrived) }) }

// Leave takes a caller off, for a reason. When the last one leaves, the run is
// cancelled for its reason.
func (f *Flight[T]) Leave(reason error) {
	f.mu.Lock()
	f.callers--
	last, cancel := f.callers == 0, f.cancel
	f.mu.Unlock()
	if !last {
		return
	}
	f.forget()
	if cancel != nil {
		cancel(reason)
	}
}

// Run calls run in a goroutine, lands when it has ended, also by
// [runtime.Goexit], and then calls after: from then on nobody can join. The context
// that run gets has the values of ctx, and ends when all callers have left.
func (f *Flight[T]) Run(ctx context.Context, run func(ctx context.Context, f *Flight[T]), after func(f *Flight[T])) {
	go func() {
		ctx := f.start(ctx)
		defer func() {
			f.land()
			after(f)
		}()
		run(ctx, f)
	}()
}

func (f *Flight[T]) start(ctx context.Context) context.Context {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel = cancel
	if f.callers == 0 { // all left before the goroutine began
		cancel(context.Canceled)
	}
	return &runContext[T]{inner, f}
}

func (f *Flight[T]) land() {
	f.forget()
	f.Arrive()
	f.cancel(context.Canceled)
}

// forget lets nobody join f any more. Another flight may have taken its place.
func (f *Flight[T]) forget() {
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	if f.shard.byKey[f.key] == f {
		delete(f.shard.byKey, f.key)
	}
}

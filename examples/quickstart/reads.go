package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// refill reads an entry that L1 has evicted.
func refill(ctx context.Context, s *service, key string) (got string, err error) {
	if err := s.evict(ctx, key); err != nil {
		return "", err
	}
	return s.read(ctx, key)
}

// evict removes an entry from L1, as otter does when it is full, past the cache.
func (s *service) evict(ctx context.Context, key string) error { return s.tiers.l1.Delete(ctx, key) }

// read is a request that wants a user.
func (s *service) read(ctx context.Context, key string) (got string, err error) {
	u, ok, err := s.get(ctx, key)
	if !ok {
		return "nothing", err
	}
	return u.String(), err
}

// fencedRefill holds a read of L2, which has found the old user, until the new one
// is written.
func fencedRefill(ctx context.Context, s *service, key string) (got string, err error) {
	if err := s.evict(ctx, key); err != nil {
		return "", err
	}
	gate := backendtest.NewGate()
	defer gate.Open()
	s.tiers.l2.Next(tier.Get, gate.After())

	var requests sync.WaitGroup
	var read string
	var readErr error
	requests.Go(func() { read, readErr = s.read(ctx, key) })
	select {
	case <-gate.Arrived(): // the read has Ada (v1)
	case <-ctx.Done():
	}
	err = s.put(ctx, key, ada(2))
	gate.Open()
	requests.Wait()
	return read, errors.Join(err, readErr)
}

// sharedLoad holds the loader of the first request until the second one waits.
func sharedLoad(ctx context.Context, s *service, key string) (got string, err error) {
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	second := &waiting{Context: ctx, seen: make(chan struct{})}
	var loads atomic.Int32
	load := func(ctx context.Context, _ string) (User, error) {
		loads.Add(1)
		begin()
		select {
		case <-second.seen:
		case <-ctx.Done():
		}
		return ada(1), ctx.Err()
	}

	var requests sync.WaitGroup
	var users [2]User
	var errs [2]error
	requests.Go(func() {
		defer begin() // should the loader never be called
		users[0], errs[0] = s.getOrLoad(ctx, key, load)
	})
	requests.Go(func() { //nolint:contextcheck // second is ctx
		<-begun
		defer second.Done() // should it not have to wait
		users[1], errs[1] = s.getOrLoad(second, key, load)
	})
	requests.Wait()
	return fmt.Sprintf("%v and %v, loads: %d", users[0], users[1], loads.Load()), errors.Join(errs[:]...)
}

// waiting is a context that reports when somebody waits for its end, as a request does
// that waits for another one's load.
type waiting struct {
	context.Context
	once sync.Once
	seen chan struct{}
}

// Done returns the channel of the context.
func (w *waiting) Done() <-chan struct{} {
	w.once.Do(func() { close(w.seen) })
	return w.Context.Done()
}

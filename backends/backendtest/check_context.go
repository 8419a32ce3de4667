package backendtest

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// soon is when a context ends that ends during a call.
const soon = 20 * time.Millisecond

// errEnded is the cause with which the suite ends contexts.
var errEnded = errors.New("the suite has ended the context")

// endings are the ways in which a context ends.
var endings = []struct {
	name    string
	context func(parent context.Context) (context.Context, context.CancelFunc)
}{
	{"was cancelled before the call", func(parent context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(parent)
		cancel(errEnded)
		return ctx, func() {}
	}},
	{"had a deadline before the call", func(parent context.Context) (context.Context, context.CancelFunc) {
		return context.WithDeadline(parent, time.Now().Add(-time.Second))
	}},
	{"was cancelled during the call", func(parent context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(parent)
		timer := time.AfterFunc(soon, func() { cancel(errEnded) })
		return ctx, func() { timer.Stop(); cancel(nil) }
	}},
	{"had a deadline during the call", func(parent context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(parent, soon)
	}},
}

// testContext finds a backend that waits for something else than its context. One
// that never waits may ignore it.
func testContext[V any](c check[V]) {
	_ = c.b.Set(c.t.Context(), "k", backends.Entry[V]{Value: c.Value(1)}) // other tests report its errors
	for _, call := range c.everyCall() {
		for _, ending := range endings {
			if ended, _ := c.callUntil(call, ending.name, ending.context); !ended {
				break // it would be the same again
			}
		}
	}
}

// testHang does the same while the store does not answer. All calls must fail.
func testHang[V any](c check[V]) {
	if c.hang == nil {
		return // there is no way to make it hang
	}
	_ = c.b.Set(c.t.Context(), "k", backends.Entry[V]{Value: c.Value(1)})
	c.hang()
	for _, call := range c.everyCall() {
		for _, ending := range endings {
			ended, err := c.callUntil(call, ending.name, ending.context)
			switch {
			case !ended:
			case err == nil:
				c.t.Errorf("%s: no error, while the store hangs and the context %s", call.name, ending.name)
			case !errors.Is(err, errEnded) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
				c.t.Errorf("%s: the error wraps neither the error of its context nor the cause: %v", call.name, err)
			default:
				continue
			}
			break
		}
	}
}

// callUntil makes a call, and reports a failure if it has not ended in time.
func (c check[V]) callUntil(
	call anyCall[V], ending string, newContext func(parent context.Context) (context.Context, context.CancelFunc),
) (ended bool, err error) {
	ctx, cancel := newContext(c.t.Context())
	defer cancel()
	ended, err = c.inTime(ctx, func() error { return call.make(ctx, "k", 2) })
	if !ended {
		c.t.Errorf("%s has not returned %v after its context ended, which %s", call.name, c.Patience, ending)
	}
	return ended, err
}

// inTime returns true and the error of f, or false if f has not returned when the
// patience with it has ended. Its goroutine then goes on; in a bubble it has an hour to
// end.
func (c check[V]) inTime(ctx context.Context, f func() error) (ended bool, err error) {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return true, err
	case <-ctx.Done():
	}
	ended, err = c.patiently(done)
	if !ended && c.Bubble {
		time.Sleep(time.Hour)
	}
	return ended, err
}

// steps are those in which the patience with a call passes.
const steps = 10

// patiently waits until a call is done or the patience with it has ended. While the process does
// not run, one step may pass and no more: the call then has the others to end.
func (c check[V]) patiently(done <-chan error) (ended bool, err error) {
	for left := c.Patience; left > 0; {
		step := min(left, max(c.Patience/steps, 1))
		left -= step
		timer := time.NewTimer(step)
		select {
		case err := <-done:
			timer.Stop()
			return true, err
		case <-timer.C:
		}
	}
	return false, nil
}

package failsafebackend

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// try is one call of the backend. Writes return no entry.
type try[V any] func(ctx context.Context) (entry backends.Entry[V], ok bool, err error)

// call is one operation. It knows the outcome of each attempt, whatever the policies
// return.
type call[V any] struct {
	caller  context.Context
	try     try[V]
	writes  bool
	timeout time.Duration
	certain func(err error) bool

	running sync.WaitGroup

	mu         sync.Mutex
	over       bool
	attempts   int   // that have begun
	notApplied int   // of these, that certainly were not
	last       error // of the last that failed
	done       bool  // one has succeeded, with:
	entry      backends.Entry[V]
	ok         bool
}

// attempt makes an attempt. A policy may do so several times, and even at once.
func (c *call[V]) attempt(ctx context.Context) error {
	if !c.begin() {
		return errOver
	}
	defer c.running.Done()
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	entry, ok, err := c.guarded(ctx)
	err = withContextError(ctx, err)
	notApplied := err != nil && c.certain(err)

	c.mu.Lock()
	defer c.mu.Unlock()
	if notApplied {
		c.notApplied++
	}
	switch {
	case err != nil:
		c.last = err
	case !c.done:
		c.done, c.entry, c.ok = true, entry, ok
	}
	return err
}

func (c *call[V]) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.attempts++
	c.running.Add(1)
	return true
}

// guarded turns a panic into an error: the policies would never take back a
// permit of an attempt that panics.
func (c *call[V]) guarded(ctx context.Context) (entry backends.Entry[V], ok bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &backends.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return c.try(ctx)
}

// repeatable reports whether a further attempt, after one that ended with err,
// may help and does no harm.
//
// A read is not repeated when a healthy store gave the error: it would give the same
// again. A write is repeated only if all attempts so far were certainly not applied:
// one that may have been, or that still runs, could be applied after the further
// attempt, or even after the next write of the key, and no error would report it.
func (c *call[V]) repeatable(err error) bool {
	if !c.writes {
		return !backends.FromHealthyStore(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notApplied == c.attempts
}

// cancelled reports whether the attempt that ended with err did so because the caller
// cancelled the operation, or a policy cancelled an attempt that another one had made
// needless.
func (c *call[V]) cancelled(err error) bool {
	c.mu.Lock()
	done := c.done
	c.mu.Unlock()
	return cancelledBy(c.caller, err) || done && errors.Is(err, context.Canceled)
}

// end makes sure that no attempt begins any more and waits for those that run.
func (c *call[V]) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.running.Wait()
}

// verdict is the error of the operation after its end. It takes the error that the
// policies returned.
func (c *call[V]) verdict(op string, policyErr error) error {
	switch {
	case c.done:
		return nil
	case policyErr == nil:
		policyErr = ErrNotAsked
	}
	stopped := withContextError(c.caller, policyErr)
	if c.attempts == 0 {
		return &RefusedError{Op: op, Err: stopped}
	}
	if errors.Is(policyErr, c.last) || errors.Is(c.last, policyErr) {
		stopped = nil
	}
	if c.attempts == 1 && stopped == nil {
		return c.last
	}
	return &Error{Op: op, Attempts: c.attempts, Err: c.last, Stopped: stopped, notApplied: c.notApplied == c.attempts}
}

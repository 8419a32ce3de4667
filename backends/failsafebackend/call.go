package failsafebackend

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// call is one operation. It knows the outcome of each attempt, whatever the policies
// return.
type call[R any] struct {
	try func(ctx context.Context) (R, error) // calls the backend once

	// Writes says that an attempt may change something, and safe that a further one does
	// no harm, whatever became of those before.
	writes, safe bool

	again func() bool // replaces the rules of repeatable, if not nil

	caller  context.Context
	timeout time.Duration
	certain func(err error) bool

	running sync.WaitGroup

	mu         sync.Mutex
	over       bool
	attempts   int   // that have begun
	notApplied int   // of these, that certainly were not
	last       error // of the last that failed
	done       bool  // one has succeeded, with:
	result     R
}

// attempt makes an attempt. A policy may do so several times, and even at once.
func (c *call[R]) attempt(ctx context.Context) error {
	if !c.begin() {
		return errOver
	}
	defer c.running.Done()
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	result, err := c.guarded(ctx)
	err = withContextError(ctx, err)
	notApplied := err != nil && c.certain(err)

	c.mu.Lock()
	defer c.mu.Unlock()
	if notApplied {
		c.notApplied++
	}
	switch {
	case errors.Is(err, errDoubt) && c.last != nil:
		// The error of the attempt that may have been applied says more.
	case err != nil:
		c.last = err
	case !c.done:
		c.done, c.result = true, result
	}
	return err
}

func (c *call[R]) begin() bool {
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
func (c *call[R]) guarded(ctx context.Context) (result R, err error) {
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
// attempt, or even after the next write of the key, and no error would report it. A safe
// write is not applied then: its condition no longer holds.
func (c *call[R]) repeatable(err error) bool {
	if c.again != nil {
		return c.again()
	}
	if !c.writes {
		return !backends.FromHealthyStore(err)
	}
	if errors.Is(err, errDoubt) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notApplied == c.attempts || c.safe && !backends.FromHealthyStore(err)
}

// inDoubt reports whether an attempt other than the one that asks may have been applied,
// or still may be.
func (c *call[R]) inDoubt() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempts-1 > c.notApplied
}

// cancelled reports whether the attempt that ended with err did so because the caller
// cancelled the operation, or a policy cancelled an attempt that another one had made
// needless.
func (c *call[R]) cancelled(err error) bool {
	c.mu.Lock()
	done := c.done
	c.mu.Unlock()
	return cancelledBy(c.caller, err) || done && errors.Is(err, context.Canceled)
}

// end makes sure that no attempt begins any more and waits for those that run.
func (c *call[R]) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.running.Wait()
}

// verdict is the error of the operation after its end. It takes the error that the
// policies returned.
func (c *call[R]) verdict(op string, policyErr error) error {
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

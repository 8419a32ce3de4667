package policytest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// scriptedTier is a [writepolicy.Tier] that follows a script.
type scriptedTier struct {
	op          *operation
	id          tier.ID
	write, drop tier.Outcome
	gate        chan struct{} // holds calls until it is closed
}

var _ writepolicy.Tier = (*scriptedTier)(nil)

// Write implements [writepolicy.Tier].
func (t *scriptedTier) Write(ctx context.Context) error {
	return t.perform(ctx, t.begin(ctx, t.op.Kind.String(), t.write))
}

// Go implements [writepolicy.Tier].
func (t *scriptedTier) Go(ctx context.Context, done func(err error)) {
	c := t.begin(ctx, t.op.Kind.String(), t.write)
	t.op.update(func() { c.detached, c.reporting = true, true })
	go func() {
		err := t.perform(ctx, c)
		panicked := callDone(done, err)
		t.op.update(func() { c.reporting, c.panicked = false, panicked })
	}()
}

// Drop implements [writepolicy.Tier].
func (t *scriptedTier) Drop(ctx context.Context) error {
	return t.perform(ctx, t.begin(ctx, "invalidate", t.drop))
}

// Compensate implements [writepolicy.Tier].
func (t *scriptedTier) Compensate(ctx context.Context) error { return t.Drop(ctx) }

// call is one call of a tier.
type call struct {
	tier   tier.ID
	name   string       // "set", "delete", "invalidate"
	script tier.Outcome // its outcome

	late      bool // it was made after the answer
	stray     bool // its context is not the policy's
	nested    bool // it was made by a function given to Go
	detached  bool // it was begun with Go,
	reporting bool // and its function was not called or has not returned yet,
	panicked  bool // or did not return

	held   bool // it went on when the gate was opened
	ended  bool
	at     time.Time // when it ended
	timely bool      // it ended before the answer
	err    *tier.Error
}

var (
	errScripted = errors.New("as the script says")
	errLate     = errors.New("the policy has answered already")
)

// begin notes a call. One that is refused, as a cache would, has ended.
func (t *scriptedTier) begin(ctx context.Context, name string, script tier.Outcome) *call {
	c := &call{tier: t.id, name: name, script: script, nested: inDone(), stray: !ours(ctx)}
	t.op.update(func() {
		t.op.calls = append(t.op.calls, c)
		c.late = t.op.answered
		switch {
		case c.late:
			c.end(tier.Skipped, errLate)
		case ctx != nil && ctx.Err() != nil:
			c.timely = true
			c.end(tier.Skipped, context.Cause(ctx))
		}
	})
	return c
}

// perform ends a call as the script says, after the gate has let it pass.
func (t *scriptedTier) perform(ctx context.Context, c *call) error {
	if c.ended {
		return c.err
	}
	var over <-chan struct{}
	if ctx != nil {
		over = ctx.Done()
	}
	outcome, cause := c.script, errScripted
	select {
	case <-t.gate:
	default:
		select {
		case <-t.gate:
			c.held = true
		case <-over:
			outcome, cause = tier.Unknown, context.Cause(ctx)
		}
	}
	t.op.update(func() {
		c.end(outcome, cause)
		c.timely = !t.op.answered
	})
	if c.err == nil {
		return nil
	}
	return c.err
}

func (t *scriptedTier) release() { close(t.gate) }

// end is called locked.
func (c *call) end(outcome tier.Outcome, cause error) {
	c.ended, c.at = true, time.Now()
	if outcome != tier.Applied {
		c.err = &tier.Error{Tier: c.tier, Call: c.name, Result: outcome, Err: cause}
	}
}

// outcome returns the outcome of the call.
func (c *call) outcome() tier.Outcome {
	if c.err != nil {
		return c.err.Result
	}
	return tier.Applied
}

func (c *call) isDrop() bool { return c.name == "invalidate" }

// callDone calls a function that was given to Go. It must not be inlined:
// inDone looks for it.
//
//go:noinline
func callDone(done func(error), err error) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	done(err)
	return false
}

// inDone reports whether it is called, indirectly, by callDone.
func inDone() bool {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "/policytest.callDone") {
			return true
		}
		if !more {
			return false
		}
	}
}

// fromSuite is the key of a value that the context of every operation carries.
type fromSuite struct{}

func ours(ctx context.Context) bool { return ctx != nil && ctx.Value(fromSuite{}) != nil }

package readpolicytest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/writepolicy"
)

// tier is a [readpolicy.Tier] that follows a script.
type tier struct {
	read *read
	id   readpolicy.Choice
	has  found
	gate chan struct{} // holds calls until it is closed
}

var _ readpolicy.Tier = (*tier)(nil)

// Read implements [readpolicy.Tier].
func (t *tier) Read(ctx context.Context) (answer readpolicy.Answer, err error) {
	return t.perform(ctx, t.begin(ctx, false))
}

// Go implements [readpolicy.Tier].
func (t *tier) Go(ctx context.Context, done func(answer readpolicy.Answer, err error)) {
	c := t.begin(ctx, true)
	go func() {
		answer, err := t.perform(ctx, c)
		panicked := callDone(done, answer, err)
		t.read.update(func() { c.reporting, c.panicked = false, panicked })
	}()
}

func (t *tier) release() { close(t.gate) }

// call is one call of a tier.
type call struct {
	tier readpolicy.Choice

	late      bool // it was made after the answer
	stray     bool // its context is not the policy's
	nested    bool // it was made by a function given to Go
	detached  bool // it was begun with Go,
	reporting bool // and its function was not called or has not returned yet,
	panicked  bool // or did not return

	held    bool // it went on when the gate was opened
	ended   bool
	at      time.Time // when it ended
	timely  bool      // it ended before the answer
	excused bool      // it failed because a deadline had passed or the caller had left
	answer  readpolicy.Answer
	err     error
}

var (
	errScripted = errors.New("as the script says")
	errLate     = errors.New("the policy has answered already")
)

// begin notes a call. One that comes too late, or in vain, has ended.
func (t *tier) begin(ctx context.Context, detached bool) *call {
	c := &call{
		tier: t.id, nested: inDone(), detached: detached, reporting: detached,
		stray: ctx == nil || ctx.Value(fromSuite{}) != t.read,
	}
	t.read.update(func() {
		t.read.calls = append(t.read.calls, c)
		c.late = t.read.answered
		switch {
		case c.late:
			c.end(miss, errLate)
		case !c.stray && ctx.Err() != nil:
			c.timely, c.excused = true, t.excuses(ctx)
			c.end(miss, context.Cause(ctx))
		}
	})
	return c
}

// perform ends a call as the script says, after the gate has let it pass.
func (t *tier) perform(ctx context.Context, c *call) (answer readpolicy.Answer, err error) {
	if c.ended {
		return c.answer, c.err
	}
	var over <-chan struct{}
	if !c.stray { // or it may belong to another bubble
		over = ctx.Done()
	}
	has, cause, held := t.has, error(nil), false
	select {
	case <-t.gate:
	default:
		select {
		case <-t.gate:
			held = true
		case <-over:
			has, cause = miss, context.Cause(ctx)
		}
	}
	if has == failure {
		cause = errScripted
	}
	t.read.update(func() {
		c.held, c.timely = held, !t.read.answered
		c.excused = over != nil && ctx.Err() != nil && t.excuses(ctx)
		c.end(has, cause)
	})
	return c.answer, c.err
}

// excuses reports whether ctx has ended for a reason for which a policy may do
// without the tier's value.
func (t *tier) excuses(ctx context.Context) bool {
	return errors.Is(ctx.Err(), context.DeadlineExceeded) || t.read.ctx.Err() != nil
}

// end is called locked.
func (c *call) end(has found, cause error) {
	c.ended, c.at = true, time.Now()
	if cause != nil {
		id := writepolicy.L1
		if c.tier == readpolicy.L2 {
			id = writepolicy.L2
		}
		c.err = &writepolicy.TierError{Tier: id, Call: "get", Result: writepolicy.Failed, Err: cause}
		return
	}
	c.answer.Hit = has.hit()
	switch has {
	case hitForHours:
		c.answer.ExpiresAt = c.at.Add(time.Hour)
	case hitForDays:
		c.answer.ExpiresAt = c.at.Add(24 * time.Hour)
	}
}

// hit reports whether the call has found a value.
func (c *call) hit() bool { return c.ended && c.err == nil && c.answer.Hit }

func (c *call) result() string {
	switch {
	case c.err != nil:
		return "failed"
	case c.answer.Hit:
		return "hit"
	default:
		return "missed"
	}
}

// callDone calls a function that was given to Go. It must not be inlined:
// inDone looks for it.
//
//go:noinline
func callDone(done func(readpolicy.Answer, error), answer readpolicy.Answer, err error) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	done(answer, err)
	return false
}

// inDone reports whether it is called, indirectly, by callDone.
func inDone() bool {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "/readpolicytest.callDone") {
			return true
		}
		if !more {
			return false
		}
	}
}

// fromSuite is the key of a value, the read, that the context of every read
// carries.
type fromSuite struct{}

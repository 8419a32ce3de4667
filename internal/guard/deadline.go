package guard

import (
	"context"
	"sync/atomic"
	"time"
)

// coalesceFraction: calls that start within timeout/64 of each other share one
// timer, so a deadline may be that much early.
const coalesceFraction = 64

// deadlines limits the calls of a tier. A timer for each call, with its context,
// would cost more than the rest of the call in this module (budget
// Set/policy=sequential/telemetry=off). It is safe for concurrent use.
type deadlines struct {
	timeout time.Duration
	current atomic.Pointer[window]
}

// window is the context of calls that begin soon after it was opened. It ends by
// itself.
type window struct {
	context.Context
	opened time.Time
	cancel context.CancelFunc
}

// limit returns a context that ends after the timeout, or up to a 64th of it
// sooner. With a nil receiver it is ctx itself.
//
// Not a method of the generic tier: the closure would capture the type dictionary
// and allocate.
func (d *deadlines) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case d == nil:
		return ctx, func() {}
	case ctx.Done() != nil: // the caller of a read, or a policy, may cancel the call
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d.timeout {
			return ctx, func() {}
		}
		return context.WithTimeout(ctx, d.timeout)
	default:
		return &limited{ctx, d.window()}, func() {}
	}
}

// window opens a new one when the current one is too old. If two callers do so at
// once, either will do.
func (d *deadlines) window() *window {
	now := time.Now()
	w := d.current.Load()
	if w == nil || !w.open(now, d.timeout/coalesceFraction) {
		ctx, cancel := context.WithDeadline(context.Background(), now.Add(d.timeout))
		w = &window{ctx, now, cancel}
		d.current.Store(w)
	}
	return w
}

// open reports whether w is of that age at most. Since is negative if the window
// was opened under another clock, as in a synctest bubble.
func (w *window) open(now time.Time, age time.Duration) bool {
	since := now.Sub(w.opened)
	return 0 <= since && since < age
}

// release frees the timer, when no call is under way any more.
func (d *deadlines) release() {
	if d == nil {
		return
	}
	if w := d.current.Swap(nil); w != nil {
		w.cancel()
	}
}

// limited has the values of a context that does not end, and the end of a window.
type limited struct {
	context.Context
	window *window
}

func (l *limited) Deadline() (time.Time, bool) { return l.window.Deadline() }
func (l *limited) Done() <-chan struct{}       { return l.window.Done() }
func (l *limited) Err() error                  { return l.window.Err() }

// Value finds first what package context looks for in a parent, and a window has
// nothing else. So a context that is derived from l needs no goroutine, and
// [context.Cause] is right.
func (l *limited) Value(key any) any {
	if v := l.window.Value(key); v != nil {
		return v
	}
	return l.Context.Value(key)
}

package redisbackend

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/rediserr"
)

// change is a write that is ready to be sent.
type change struct {
	key       string // with its prefix
	data      []byte // with its header
	expiresAt int64  // as expiry.Encode returns it
	remove    bool
}

// command returns the command that makes the change now: the longer it has waited, the
// shorter is the remaining TTL.
func (c *change) command(ctx context.Context, now func() time.Time) *command {
	switch {
	case c.remove:
		return newDelete(ctx, c.key)
	case c.expiresAt == expiry.Never:
		return newSet(ctx, c.key, c.data, 0)
	}
	if ttl := c.expiresAt - max(0, now().UnixNano()); ttl > 0 {
		return newSet(ctx, c.key, c.data, time.Duration(ttl))
	}
	return newDelete(ctx, c.key)
}

// write makes attempts until one succeeds, or fails for good, or may have been
// executed, or there were enough.
//
// One that may have been executed may also still be on its way. It would then be
// executed after a repetition that succeeds, or even after the next write of the key,
// and no error would report it; so its outcome is that of the write.
func (b *Backend) write(ctx context.Context, op string, c change) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	if ctx.Err() != nil {
		return notBegun(ctx, op)
	}
	for attempts := 1; ; attempts++ {
		cmd := c.command(ctx, b.now)
		err := b.client.Process(ctx, cmd)
		if err == nil {
			return nil
		}
		certain := b.notExecuted(cmd.withdraw(), err)
		b.lookAgain(ctx, err)
		failed := &Error{Op: op, Attempts: attempts, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: certain}
		if !b.repeats(ctx, failed) {
			return failed
		}
	}
}

// repeats reports whether another attempt follows one that failed. It pauses before that.
func (b *Backend) repeats(ctx context.Context, failed *Error) bool {
	if !b.mayRepeat(failed) {
		return false
	}
	if b.retry.pause(ctx, failed.Attempts) {
		return true
	}
	if failed.ended == nil {
		failed.Stopped = backends.ContextError(ctx)
	}
	return false
}

// mayRepeat reports whether an attempt that failed may be made again.
func (b *Backend) mayRepeat(failed *Error) bool {
	return failed.notApplied && failed.Attempts <= b.retry.max && passes(failed.Err)
}

// notExecuted reports whether an attempt that was written so often and failed
// with err was certainly not executed.
func (b *Backend) notExecuted(written int, err error) bool {
	if written == 0 {
		return true
	}
	r, _ := replyOf(err)
	switch {
	case !r.Refused:
		return false
	case written == 1:
		return true
	default:
		// In a cluster go-redis goes on, even with a command that it must not
		// repeat, after MOVED, ASK and READONLY, and after nothing else that is
		// written. NOPERM may then be the answer to the ASKING that it puts in
		// front, in place of that to the command.
		return b.redirects && r.Code != "NOPERM"
	}
}

// passes reports whether a repetition may succeed. The conditions are those
// under which go-redis repeats a command.
func passes(err error) bool {
	if r, ok := replyOf(err); ok {
		return r.Passes
	}
	var opErr *net.OpError
	var netErr net.Error
	switch {
	case errors.As(err, &opErr) && opErr.Op == "dial": // even when the time to dial was over
		return true
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	default:
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
			errors.Is(err, redis.ErrPoolTimeout) || errors.As(err, &netErr)
	}
}

// retry says how often and how fast an attempt is repeated.
type retry struct {
	max                int
	minPause, maxPause time.Duration
}

// pause waits before the next attempt, for a random time whose bounds double
// from one to the next. It returns false when the context ends first.
func (r retry) pause(ctx context.Context, attempts int) bool {
	timer := time.NewTimer(r.delay(attempts))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (r retry) delay(attempts int) time.Duration {
	const maxDoublings = 20
	spread := r.minPause << min(attempts, maxDoublings)
	if r.minPause <= 0 || spread <= 0 {
		return max(0, r.minPause)
	}
	return min(r.maxPause, r.minPause+rand.N(spread)) //nolint:gosec // it guards nothing
}

package rueidisbackend

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/expiry"
	"github.com/tiercache/tiercache/internal/rediserr"
	"github.com/tiercache/tiercache/internal/redislog"
)

// stage checks a set without a version and makes it ready.
func (b *Backend) stage(w *backends.Write[[]byte]) (change, error) {
	if err := b.space.Limits.CheckKey(w.Key); err != nil {
		return change{}, err
	}
	if err := b.space.Limits.CheckValue(w.Entry.Value); err != nil {
		return change{}, err
	}
	c := change{key: b.space.Prefix + w.Key, expiresAt: expiry.Encode(w.Entry.ExpiresAt)}
	if b.raw {
		c.data = string(w.Entry.Value)
	} else {
		h := redislog.WholeHeader(w)
		c.data = h.EncodeToString(w.Entry.Value)
	}
	return c, nil
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
		err := errorOf(b.client.Do(ctx, c.command(b.client.B(), b.now())))
		if err == nil {
			return nil
		}
		failed := b.writeError(ctx, op, err)
		failed.Attempts = attempts
		if !failed.notApplied || attempts > b.retries || !b.passes(ctx, err) {
			return failed
		}
		if !pause(ctx, attempts) {
			failed.stopBy(ctx)
			return failed
		}
	}
}

// writeError returns the error of an attempt.
func (b *Backend) writeError(ctx context.Context, op string, err error) *Error {
	return &Error{Op: op, Attempts: 1, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: notExecuted(err)}
}

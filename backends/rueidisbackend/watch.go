package rueidisbackend

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
)

var _ backends.Watcher = (*Backend)(nil)

// Watch tells sink of the changes by all processes; see [backends.Watcher]. All calls
// share one reader for each partition, which runs while there is a call, with one
// connection of the client's own (Dedicate) and one goroutine. It needs [WithLog].
//
// A short loss of the connection costs nothing: the reader catches up. A loss that it
// cannot make good is told once for each partition, after it has taken a new position in
// the log: all that is read from then on is covered. LossDisconnected and LossTrimmed
// both say that the log no longer had what came next; the first one after the connection
// was lost.
//
// Watch returns the error of ctx; one that wraps [backends.ErrUnsupported] if the server
// refuses INFO, XREAD, EVAL or XADD, or is too old; or one that wraps
// [backends.ErrClosed] when the client was closed. It notices that when it connects again:
// rueidis leaves dedicated connections open when it is closed. If a reader is about to
// connect when ctx ends, Watch waits for that, at most for the client's Dialer.Timeout.
func (b *Backend) Watch(ctx context.Context, sink backends.Sink) error {
	switch {
	case !b.logged():
		return backends.Unsupported("watching")
	case ctx == nil:
		return backends.ErrNilContext
	case sink == nil:
		return backends.ErrNilSink
	case ctx.Err() != nil:
		return notBegun(ctx, "watch")
	}
	if err := b.hub.Watch(ctx, sink); err != nil {
		return err
	}
	return notBegun(ctx, "watch")
}

// Seen returns the greatest version that any reply or change has shown in the key's
// partition. It is 0 without [WithLog].
func (b *Backend) Seen(key string) backends.Version {
	if !b.logged() {
		return 0
	}
	return b.space.Log.Of(key).Seen()
}

// watchError returns the error of Watch for one of a reader.
func watchError(err error) error {
	failed := &Error{Op: "watch", Err: err}
	if errors.Is(err, errClientClosed) || errors.Is(err, redislog.ErrReaderEnded) {
		return failed
	}
	return &unwatchableError{cause: failed}
}

// unwatchableError says that the server cannot be watched, and why.
type unwatchableError struct{ cause *Error }

// Error gives the reason.
func (e *unwatchableError) Error() string {
	return e.cause.Error() + ": this server's log cannot be watched"
}

// Unwrap returns the error of the client, and that of all stores for this case.
func (e *unwatchableError) Unwrap() []error { return []error{e.cause, backends.ErrUnsupported} }

package redisbackend

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
)

// getRaw takes the time before it asks, so that the entry does not outlive the
// key.
func (b *Backend) getRaw(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	now := b.now()
	reply, err := b.client.Eval(ctx, redislog.RawScript, []string{key}).Slice()
	if err != nil {
		return backends.Entry[[]byte]{}, false, b.readFailed(ctx, err)
	}
	entry, ok, err = redislog.RawReply(reply, now)
	if err != nil {
		err = &Error{Op: "get", Err: err}
	}
	return entry, ok, err
}

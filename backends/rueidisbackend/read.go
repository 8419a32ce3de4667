package rueidisbackend

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/rediserr"
	"github.com/tiercache/tiercache/internal/redislog"
)

// ask sends a command that may be repeated, until it succeeds, fails for good, or has
// failed often enough. The error is nil, [rueidis.Nil], or an [*Error].
func (b *Backend) ask(ctx context.Context, command func() rueidis.Completed) (rueidis.RedisResult, error) {
	for attempts := 1; ; attempts++ {
		r := b.client.Do(ctx, command())
		err := errorOf(r)
		if err == nil || rueidis.IsRedisNil(err) {
			return r, err
		}
		failed := &Error{Op: "get", Attempts: attempts, Err: err, ended: rediserr.EndOf(ctx, err)}
		if attempts > b.retries || !b.passes(ctx, err) {
			return r, failed
		}
		if !pause(ctx, attempts) {
			failed.stopBy(ctx)
			return r, failed
		}
	}
}

// get reads the value at a key with its prefix. P is nil without a log.
func (b *Backend) get(ctx context.Context, p *redislog.Partition, key string) (
	entry backends.Entry[[]byte], answer backends.Answer, err error,
) {
	r, err := b.ask(ctx, func() rueidis.Completed { return newGet(b.client.B(), key) })
	switch {
	case rueidis.IsRedisNil(err):
		return entry, answer, nil
	case err != nil:
		return entry, answer, err
	}
	data, err := r.AsBytes()
	if err != nil {
		return entry, answer, &Error{Op: "get", Attempts: 1, Err: redislog.ErrOddReply}
	}
	return redislog.Answer(p, data, false, b.now())
}

// getRaw takes the time before it asks, so that the entry does not outlive the
// key.
func (b *Backend) getRaw(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	now := b.now()
	r, err := b.ask(ctx, func() rueidis.Completed { return newRawGet(b.client.B(), key) })
	if err != nil && !rueidis.IsRedisNil(err) {
		return entry, false, err
	}
	return b.rawEntry(r, now)
}

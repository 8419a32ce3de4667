package redisbackend

import (
	"context"
	"time"
	"unsafe"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
)

var _ backends.Batcher[[]byte] = (*Backend)(nil)

// GetMany reads the keys by MGET, at most 128 keys each, and in a cluster without
// [WithLog] by a pipeline of GET. See [backends.Batcher]. A key that holds something
// other than a string is a miss for MGET.
func (b *Backend) GetMany(ctx context.Context, keys []string, got []backends.Got[[]byte]) {
	if backends.RefuseReads(ctx, keys, got) {
		return
	}
	if ctx.Err() != nil {
		for i := range keys {
			got[i].Err = notBegun(ctx, "get")
		}
		return
	}
	space := redislog.Keyspace{
		Prefix: b.prefix, Log: b.log, Limits: b.limits, Single: b.raw || b.log == nil && !b.oneSlot,
	}
	for now, later := redislog.NextReads(space.Reads(keys)); len(now) > 0; now, later = redislog.NextReads(later) {
		reads := make([]*read, len(now))
		for i := range now {
			reads[i] = &read{Read: now[i]}
		}
		b.read(ctx, reads, got)
	}
}

// read is one command of a batch of reads.
type read struct {
	*redislog.Read
	cmd redis.Cmder
}

// read sends commands at once and puts the results into got.
func (b *Backend) read(ctx context.Context, reads []*read, got []backends.Got[[]byte]) {
	begin := b.now()
	var err error
	if len(reads) == 1 {
		r := reads[0]
		r.cmd = b.command(ctx, r)
		err = b.client.Process(ctx, r.cmd)
	} else {
		pipe := b.client.Pipeline()
		for _, r := range reads {
			r.cmd = b.command(ctx, r)
			_ = pipe.Process(ctx, r.cmd) // queues it
		}
		_, err = pipe.Exec(ctx)
	}
	anyFailed := false
	for _, r := range reads {
		anyFailed = anyFailed || r.cmd.Err() != nil
	}
	for _, r := range reads {
		failed := r.cmd.Err()
		if failed == nil && !anyFailed {
			failed = err // of a hook
		}
		b.take(ctx, r, failed, begin, got)
	}
}

func (b *Backend) command(ctx context.Context, r *read) redis.Cmder {
	switch {
	case b.raw:
		cmd := redis.NewCmd(ctx, "eval", redislog.RawScript, 1, r.Keys[0])
		cmd.SetFirstKeyPos(3)
		return cmd
	case len(r.Keys) == 1:
		return redis.NewStringCmd(ctx, "get", r.Keys[0])
	}
	args := make([]any, 1, 1+len(r.Keys))
	args[0] = "mget"
	for i := range r.Keys {
		args = append(args, &r.Keys[i])
	}
	cmd := redis.NewSliceCmd(ctx, args...)
	cmd.SetFirstKeyPos(1)
	return cmd
}

// take puts the results of one command into got.
func (b *Backend) take(ctx context.Context, r *read, err error, begin time.Time, got []backends.Got[[]byte]) {
	if err != nil {
		err = b.readFailed(ctx, err) // nil for a miss
		for _, i := range r.Indices {
			got[i].Err = err
		}
		return
	}
	now := b.now()
	switch cmd := r.cmd.(type) {
	case *redis.StringCmd:
		data, _ := cmd.Bytes() // its error is err
		redislog.AnswerTo(&got[r.Indices[0]], r.Part, data, false, now)
	case *redis.SliceCmd:
		takeSlice(r, cmd.Val(), now, got)
	case *redis.Cmd:
		g := &got[r.Indices[0]]
		entry, ok, err := redislog.RawReply(cmd.Val(), begin)
		if err != nil {
			err = &Error{Op: "get", Err: err}
		}
		if err != nil || !ok || !entry.ExpiresAt.IsZero() && entry.Expired(now) {
			g.Err = err
			return
		}
		g.Entry, g.Answer.Found = entry, backends.Hit
	}
}

func takeSlice(r *read, values []any, now time.Time, got []backends.Got[[]byte]) {
	for j, i := range r.Indices {
		switch {
		case len(values) != len(r.Indices):
			got[i].Err = &Error{Op: "get", Err: redislog.ErrOddReply}
		case values[j] == nil:
		default:
			text, ok := values[j].(string)
			if !ok {
				got[i].Err = &Error{Op: "get", Err: redislog.ErrOddReply}
				continue
			}
			redislog.AnswerTo(&got[i], r.Part, bytesOf(text), false, now)
		}
	}
}

// bytesOf returns the bytes of a reply without a copy, which the budget of GetMany over MGET by
// hand asks for. The client made them for this reply alone, as it does for [redis.StringCmd.Bytes].
func bytesOf(reply string) []byte {
	return unsafe.Slice(unsafe.StringData(reply), len(reply)) //nolint:gosec // see above
}

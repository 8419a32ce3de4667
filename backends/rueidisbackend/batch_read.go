package rueidisbackend

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/rediserr"
	"github.com/tiercache/tiercache/internal/redislog"
)

var _ backends.Batcher[[]byte] = (*Backend)(nil)

// GetMany reads the keys by MGET, at most 128 keys each, and in a cluster without
// [WithLog] by GET, all sent at once. See [backends.Batcher]. A key that holds something
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
	for now, later := redislog.NextReads(b.space.Reads(keys)); len(now) > 0; now, later = redislog.NextReads(later) {
		b.readAll(ctx, now, got)
	}
}

// readAll makes attempts until there is nothing left to repeat.
func (b *Backend) readAll(ctx context.Context, reads []*redislog.Read, got []backends.Got[[]byte]) {
	for attempts := 1; len(reads) > 0; attempts++ {
		again := b.read(ctx, reads, got, attempts)
		if attempts > b.retries || len(again) == 0 || !pause(ctx, attempts) {
			return
		}
		reads = again
	}
}

// read sends commands at once, puts the results into got, and returns those that failed in
// a way that may pass.
func (b *Backend) read(
	ctx context.Context, reads []*redislog.Read, got []backends.Got[[]byte], attempts int,
) (again []*redislog.Read) {
	begin := b.now()
	commands := make([]rueidis.Completed, len(reads))
	for i, r := range reads {
		if b.raw {
			commands[i] = newRawGet(b.client.B(), r.Keys[0])
		} else {
			commands[i] = newGet(b.client.B(), r.Keys...)
		}
	}
	for i, result := range b.client.DoMulti(ctx, commands...) {
		r := reads[i]
		err := errorOf(result)
		if err == nil || rueidis.IsRedisNil(err) {
			b.take(r, result, begin, got)
			continue
		}
		failed := &Error{Op: "get", Attempts: attempts, Err: err, ended: rediserr.EndOf(ctx, err)}
		for _, j := range r.Indices {
			got[j] = backends.Got[[]byte]{Err: failed}
		}
		if b.passes(ctx, err) {
			again = append(again, r)
		}
	}
	return again
}

// take puts the results of one command into got.
func (b *Backend) take(r *redislog.Read, result rueidis.RedisResult, begin time.Time, got []backends.Got[[]byte]) {
	first := &got[r.Indices[0]]
	if b.raw {
		entry, ok, err := b.rawEntry(result, begin)
		*first = backends.Got[[]byte]{Entry: entry, Err: err}
		if ok {
			first.Answer.Found = backends.Hit
		}
		return
	}
	reply, _ := result.ToMessage() // its error is nil, or that of a miss
	now := b.now()
	if len(r.Keys) == 1 {
		takeValue(r.Part, reply, now, first)
		return
	}
	values, err := reply.ToArray()
	for j, i := range r.Indices {
		if err != nil || len(values) != len(r.Indices) {
			got[i] = backends.Got[[]byte]{Err: &Error{Op: "get", Attempts: 1, Err: redislog.ErrOddReply}}
			continue
		}
		takeValue(r.Part, values[j], now, &got[i])
	}
}

// takeValue reads one stored value.
func takeValue(p *redislog.Partition, reply rueidis.RedisMessage, now time.Time, g *backends.Got[[]byte]) {
	*g = backends.Got[[]byte]{}
	if reply.IsNil() {
		return
	}
	data, err := reply.AsBytes()
	if err != nil {
		g.Err = &Error{Op: "get", Attempts: 1, Err: redislog.ErrOddReply}
		return
	}
	redislog.AnswerTo(g, p, data, false, now)
}

// rawEntry reads the reply to a raw read that was sent at the instant begin.
func (b *Backend) rawEntry(r rueidis.RedisResult, begin time.Time) (entry backends.Entry[[]byte], ok bool, err error) {
	reply, _ := r.ToMessage()
	entry, ok, err = redislog.RawReply(plain(reply), begin)
	switch {
	case err != nil:
		return backends.Entry[[]byte]{}, false, &Error{Op: "get", Attempts: 1, Err: err}
	case !ok, !entry.ExpiresAt.IsZero() && entry.Expired(b.now()):
		return backends.Entry[[]byte]{}, false, nil
	default:
		return entry, true, nil
	}
}

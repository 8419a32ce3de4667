package redisbackend

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
)

var _ backends.Batcher[[]byte] = (*Backend)(nil)

// Bounds of what is sent at once.
const (
	maxBatchKeys  = 128     // of one command, and of one pipeline of writes
	maxBatchBytes = 1 << 20 // of keys and values
	maxReadKeys   = 1024    // of one pipeline of reads
)

// GetMany reads the keys by MGET, at most 128 keys each, and in a cluster without
// [WithLog] by a pipeline of GET. See [backends.Batcher]. A key that holds something
// other than a string is a miss for MGET.
func (b *Backend) GetMany(ctx context.Context, keys []string, got []backends.Got[[]byte]) {
	if ctx.Err() != nil {
		for i := range keys {
			got[i].Err = notBegun(ctx, "get")
		}
		return
	}
	reads := b.groups(keys)
	for len(reads) > 0 {
		n, size := 0, 0
		for n < len(reads) && (n == 0 || size+len(reads[n].indices) <= maxReadKeys) {
			size += len(reads[n].indices)
			n++
		}
		b.read(ctx, reads[:n], got)
		reads = reads[n:]
	}
}

// read is one command of a batch of reads.
type read struct {
	part    *redislog.Partition // nil without a log
	keys    []string            // with their prefix
	indices []int               // of the keys in the batch
	bytes   int
	cmd     redis.Cmder
}

// full reports whether no key of this size fits into the command.
func (r *read) full(size int) bool {
	return len(r.keys) == maxBatchKeys || len(r.keys) > 0 && r.bytes+size > maxBatchBytes
}

// groups divides the keys over commands. Those that cannot have been stored are misses,
// and are left out.
func (b *Backend) groups(keys []string) (reads []*read) {
	open := make(map[*redislog.Partition]*read)
	single := b.raw || b.log == nil && !b.oneSlot
	for i, key := range keys {
		if !b.storable(key) {
			continue
		}
		p := b.part(key)
		r := open[p]
		if r == nil || single || r.full(len(key)) {
			r = &read{part: p}
			open[p] = r
			reads = append(reads, r)
		}
		full := b.keyIn(p, key)
		r.keys, r.indices, r.bytes = append(r.keys, full), append(r.indices, i), r.bytes+len(full)
	}
	return reads
}

// part returns the partition of key, and nil without a log.
func (b *Backend) part(key string) *redislog.Partition {
	if b.log == nil {
		return nil
	}
	return b.log.Of(key)
}

func (b *Backend) keyIn(p *redislog.Partition, key string) string {
	if p == nil {
		return b.prefix + key
	}
	return p.Prefix + key
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
		cmd := redis.NewCmd(ctx, "eval", redislog.RawScript, 1, r.keys[0])
		cmd.SetFirstKeyPos(3)
		return cmd
	case len(r.keys) == 1:
		return redis.NewStringCmd(ctx, "get", r.keys[0])
	}
	args := make([]any, 1, 1+len(r.keys))
	args[0] = "mget"
	for i := range r.keys {
		args = append(args, &r.keys[i])
	}
	cmd := redis.NewSliceCmd(ctx, args...)
	cmd.SetFirstKeyPos(1)
	return cmd
}

// take puts the results of one command into got.
func (b *Backend) take(ctx context.Context, r *read, err error, begin time.Time, got []backends.Got[[]byte]) {
	if err != nil {
		err = b.readFailed(ctx, err) // nil for a miss
		for _, i := range r.indices {
			got[i].Err = err
		}
		return
	}
	switch cmd := r.cmd.(type) {
	case *redis.StringCmd:
		data, _ := cmd.Bytes() // its error is err
		b.got(r.part, data, &got[r.indices[0]])
	case *redis.SliceCmd:
		b.gotSlice(r, cmd.Val(), got)
	case *redis.Cmd:
		g := &got[r.indices[0]]
		entry, ok, err := redislog.RawReply(cmd.Val(), begin)
		if err != nil {
			err = &Error{Op: "get", Err: err}
		}
		if err != nil || !ok || !entry.ExpiresAt.IsZero() && entry.Expired(b.now()) {
			g.Err = err
			return
		}
		g.Entry, g.Answer.Found = entry, backends.Hit
	}
}

func (b *Backend) gotSlice(r *read, values []any, got []backends.Got[[]byte]) {
	for j, i := range r.indices {
		switch {
		case len(values) != len(r.indices):
			got[i].Err = &Error{Op: "get", Err: redislog.ErrOddReply}
		case values[j] == nil:
		default:
			text, ok := values[j].(string)
			if !ok {
				got[i].Err = &Error{Op: "get", Err: redislog.ErrOddReply}
				continue
			}
			b.got(r.part, []byte(text), &got[i])
		}
	}
}

// got reads one stored value.
func (b *Backend) got(p *redislog.Partition, data []byte, g *backends.Got[[]byte]) {
	g.Entry, g.Answer, g.Err = redislog.Answer(p, data, false, b.now())
}

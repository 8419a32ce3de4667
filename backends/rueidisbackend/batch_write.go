package rueidisbackend

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
	"github.com/tiercache/tiercache/tier"
)

// WriteMany makes the changes by pipelines, at most 128 changes or about a MiB each. See
// [backends.Batcher]. If a connection is lost, the changes that may have been executed
// are unknown, and the others certainly not applied. Without [WithLog] it makes
// unconditional changes without a source version alone.
func (b *Backend) WriteMany(ctx context.Context, writes []backends.Write[[]byte], done []backends.Done) {
	if backends.RefuseWrites(ctx, writes, done) {
		return
	}
	queue := make([]*batched, 0, len(writes))
	for i := range writes {
		w, err := b.batched(&writes[i], &done[i])
		switch {
		case err != nil:
			done[i].Err = err
		case w != nil:
			queue = append(queue, w)
		}
	}
	for len(queue) > 0 {
		if ctx.Err() != nil {
			for _, w := range queue {
				if w.done.Err == nil {
					w.done.Err = notBegun(ctx, w.op)
				}
			}
			return
		}
		now, later := redislog.NextWrites(queue)
		queue = append(b.round(ctx, now), later...)
	}
}

// batched is one change of a batch.
type batched struct {
	key      string
	op       string
	plain    change          // without a log
	logged   *redislog.Write // with one
	attempt  redislog.Attempt
	attempts int
	done     *backends.Done

	at      *redislog.Place
	command rueidis.Completed
}

var _ redislog.Batched = (*batched)(nil)

// BatchKey implements [redislog.Batched].
func (w *batched) BatchKey() string { return w.key }

// BatchSize implements [redislog.Batched].
func (w *batched) BatchSize() int {
	const rest = 300
	if w.logged != nil {
		return w.logged.Size()
	}
	return len(w.plain.data) + len(w.key) + rest
}

// batched returns nil for a change that is made already.
func (b *Backend) batched(w *backends.Write[[]byte], done *backends.Done) (*batched, error) {
	if w.Kind == tier.Delete && w.Key != "" && !b.storable(w.Key) {
		return nil, w.Check()
	}
	if b.logged() {
		c, err := b.prepare(w)
		if err != nil {
			return nil, err
		}
		return &batched{key: w.Key, op: c.Op(), logged: c, done: done}, nil
	}
	if err := w.Check(); err != nil {
		return nil, err
	}
	if w.If.Test != backends.TestAlways || w.Source != 0 {
		return nil, backends.Unsupported("versions")
	}
	if w.Kind == tier.Delete {
		c := change{key: b.space.Prefix + w.Key, remove: true}
		return &batched{key: w.Key, op: "delete", plain: c, done: done}, nil
	}
	c, err := b.stage(w)
	if err != nil {
		return nil, err
	}
	return &batched{key: w.Key, op: "set", plain: c, done: done}, nil
}

// round sends changes of different keys once, and returns those that are to be sent again.
func (b *Backend) round(ctx context.Context, changes []*batched) (again []*batched) {
	sent := changes[:0:0]
	waits := 0
	settle := func(w *batched, result backends.Result, repeat bool, err error) {
		switch {
		case repeat:
			again = append(again, w)
		case err != nil && b.mayRepeat(ctx, w, err):
			w.done.Err = err // unless a repetition ends otherwise
			again, waits = append(again, w), max(waits, w.attempts)
		default:
			*w.done = backends.Done{Result: result, Err: err}
		}
	}
	commands := make([]rueidis.Completed, 0, len(changes))
	for _, w := range changes {
		if err := b.makeReady(ctx, w); err != nil {
			settle(w, backends.Result{}, false, err)
			continue
		}
		sent, commands = append(sent, w), append(commands, w.command)
	}
	begin := time.Now()
	for i, r := range b.client.DoMulti(ctx, commands...) {
		w := sent[i]
		result, repeat, err := b.settleBatched(ctx, w, r, begin)
		settle(w, result, repeat, err)
	}
	if waits > 0 && !pause(ctx, waits) {
		return stopped(ctx, again)
	}
	for _, w := range again {
		w.done.Err = nil
	}
	return again
}

// stopped ends the changes whose repetition the context prevented, and returns the
// others, which were not begun.
func stopped(ctx context.Context, again []*batched) (left []*batched) {
	for _, w := range again {
		if e, ok := w.done.Err.(*Error); ok { //nolint:errorlint // as it was made
			e.stopBy(ctx)
		} else {
			left = append(left, w)
		}
	}
	return left
}

// makeReady makes the command of a change.
func (b *Backend) makeReady(ctx context.Context, w *batched) error {
	if w.logged == nil {
		w.command = w.plain.command(b.client.B(), b.now())
		return nil
	}
	at, err := b.space.Log.PlaceOf(ctx, b.server, w.logged.Part, w.attempt.Not)
	if err != nil {
		w.attempts++
		failed := b.notSent(ctx, w.op, err)
		failed.Attempts = w.attempts
		return failed
	}
	w.at, w.command = at, newEval(b.client.B(), w.logged.Call(at, b.now()), w.attempt.Load)
	return nil
}

// settleBatched turns the end of a command into the outcome of its change.
func (b *Backend) settleBatched(
	ctx context.Context, w *batched, r rueidis.RedisResult, begin time.Time,
) (result backends.Result, again bool, failed error) {
	if w.logged != nil {
		result, again, failed = b.settle(ctx, w.logged, r, begin, w.at, &w.attempt)
	} else if err := errorOf(r); err != nil {
		failed = b.writeError(ctx, w.op, err)
	}
	if e, ok := failed.(*Error); ok { //nolint:errorlint // as it was made
		w.attempts++
		e.Attempts = w.attempts
	}
	return result, again, failed
}

// mayRepeat reports whether a change that failed is to be made again.
func (b *Backend) mayRepeat(ctx context.Context, w *batched, err error) bool {
	e, ok := err.(*Error) //nolint:errorlint // as it was made
	return ok && e.notApplied && w.attempts <= b.retries && b.passes(ctx, e.Err)
}

package redisbackend

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/rediserr"
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
				w.failBegun(ctx)
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

	cmd *command
	at  *redislog.Place
}

// batched returns nil for a change that is made already.
func (b *Backend) batched(w *backends.Write[[]byte], done *backends.Done) (*batched, error) {
	if w.Kind == tier.Delete && w.Key != "" && !b.storable(w.Key) {
		return nil, w.Check()
	}
	if b.log != nil {
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
		return &batched{key: w.Key, op: "delete", plain: change{key: b.prefix + w.Key, remove: true}, done: done}, nil
	}
	c, err := b.stage(w.Key, w.Entry)
	if err != nil {
		return nil, err
	}
	if !b.raw && (w.Codec != 0 || w.Operation != 0 || len(w.Note) > 0) {
		h := redislog.WholeHeader(w)
		c.data = h.Encode(w.Entry.Value)
	}
	return &batched{key: w.Key, op: "set", plain: c, done: done}, nil
}

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

func (w *batched) failBegun(ctx context.Context) {
	if w.done.Err == nil {
		w.done.Err = notBegun(ctx, w.op)
	}
}

// round sends changes of different keys once, and returns those that are to be sent again.
func (b *Backend) round(ctx context.Context, changes []*batched) (again []*batched) {
	sent := changes[:0:0]
	waits := 0
	settle := func(w *batched, result backends.Result, repeat bool, err error) {
		switch {
		case repeat:
			again = append(again, w)
		case b.mayRepeatAfter(err):
			w.done.Err = err // unless a repetition ends otherwise
			again, waits = append(again, w), max(waits, w.attempts)
		default:
			*w.done = backends.Done{Result: result, Err: err}
		}
	}
	for _, w := range changes {
		if err := b.makeReady(ctx, w); err != nil {
			settle(w, backends.Result{}, false, err)
			continue
		}
		sent = append(sent, w)
	}
	begin := time.Now()
	hooks := b.send(ctx, sent)
	for _, w := range sent {
		err := w.cmd.Err()
		if err == nil {
			err = hooks
		}
		result, repeat, err := b.settleBatched(ctx, w, err, begin)
		settle(w, result, repeat, err)
	}
	if waits > 0 && !b.retry.pause(ctx, waits) {
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
		e, ok := w.done.Err.(*Error) //nolint:errorlint // as it was made
		if !ok {
			left = append(left, w)
			continue
		}
		if e.ended == nil {
			e.Stopped = backends.ContextError(ctx)
		}
	}
	return left
}

// makeReady makes the command of a change.
func (b *Backend) makeReady(ctx context.Context, w *batched) error {
	if w.logged == nil {
		w.cmd = w.plain.command(ctx, b.now)
		return nil
	}
	at, err := b.log.PlaceOf(ctx, b.server, w.logged.Part, w.attempt.Not)
	if err != nil {
		w.attempts++
		b.lookAgain(ctx, err)
		return &Error{Op: w.op, Attempts: w.attempts, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: true}
	}
	w.at, w.cmd = at, newEval(ctx, w.logged.Call(at, b.now()), w.attempt.Load)
	return nil
}

// send executes the commands, and returns the error of a hook that belongs to none of
// them.
func (b *Backend) send(ctx context.Context, changes []*batched) (hooks error) {
	switch len(changes) {
	case 0:
		return nil
	case 1:
		hooks = b.client.Process(ctx, changes[0].cmd)
	default:
		pipe := b.client.Pipeline()
		for _, w := range changes {
			_ = pipe.Process(ctx, w.cmd) // queues it
		}
		_, hooks = pipe.Exec(ctx)
	}
	for _, w := range changes {
		if w.cmd.Err() != nil {
			hooks = nil
		}
	}
	return hooks
}

// settleBatched turns the end of a command into the outcome of its change.
func (b *Backend) settleBatched(
	ctx context.Context, w *batched, err error, begin time.Time,
) (result backends.Result, again bool, failed error) {
	if w.logged != nil {
		result, again, failed = b.settle(ctx, w.logged, w.cmd, err, begin, w.at, &w.attempt)
	} else if written := w.cmd.withdraw(); err != nil {
		b.lookAgain(ctx, err)
		failed = &Error{Op: w.op, Err: err, ended: rediserr.EndOf(ctx, err), notApplied: b.notExecuted(written, err)}
	}
	if e, ok := failed.(*Error); ok { //nolint:errorlint // as it was made
		w.attempts++
		e.Attempts = w.attempts
	}
	return result, again, failed
}

// mayRepeatAfter is mayRepeat for any error; nil is no failure.
func (b *Backend) mayRepeatAfter(err error) bool {
	e, ours := err.(*Error) //nolint:errorlint // as it was made
	return ours && b.mayRepeat(e)
}

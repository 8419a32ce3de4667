package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
)

const (
	maxWaiting = 10_000 // keys
	minPause   = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// repairer writes keys again in which the tiers may differ, until they do not.
// The cache's hook tells it of them; one goroutine, that of run, repairs them.
type repairer struct {
	users  *users
	tracer trace.Tracer
	done   metric.Int64Counter
	log    *slog.Logger

	queue   chan string // keys
	mu      sync.Mutex
	waiting map[string]damage // of the keys in queue
	busy    int               // 1 while one is being repaired
}

// damage is why the tiers may differ in a key.
type damage struct {
	since time.Time
	write trace.SpanContext // that did it
}

// What becomes of an attempt, in the metric.
const (
	repaired = "repaired"
	failed   = "failed"  // it is made again
	expired  = "expired" // it was not made: what was stale is gone by itself
	dropped  = "dropped" // it was not made: too many keys wait
)

func (r *repairer) count(ctx context.Context, result string, n int64) {
	r.done.Add(ctx, n, metric.WithAttributes(attribute.String("result", result)))
}

func newRepairer(ctx context.Context, u *users, tel *telemetry) (*repairer, error) {
	r := &repairer{
		users:   u,
		tracer:  tel.tracers.Tracer("repair"),
		log:     tel.log,
		queue:   make(chan string, maxWaiting),
		waiting: make(map[string]damage),
	}
	meter := tel.meters.Meter("repair")
	var err error
	r.done, err = meter.Int64Counter("users.repairs", metric.WithDescription("Attempts to make the tiers equal again."))
	if err != nil {
		return nil, err
	}
	for _, result := range []string{repaired, failed, expired, dropped} {
		r.count(ctx, result, 0) // or increase() would not see the first
	}
	_, err = meter.Int64ObservableGauge("users.repairs.open",
		metric.WithDescription("Keys in which the tiers may differ, and which are to be repaired."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(r.open()))
			return nil
		}))
	return r, err
}

// enqueue is the cache's hook. It runs before the write returns to its caller, so
// it never waits.
func (r *repairer) enqueue(ctx context.Context, i tiercache.Inconsistency) {
	if i.Verdict.Resolved || ctx.Value(repairing{}) != nil {
		return // there is nothing to do, or it is being done
	}
	r.add(ctx, i.Key, damage{since: time.Now(), write: trace.SpanContextFromContext(ctx)})
}

// repairing marks the context of the repairer's own writes: when they fail, it
// knows.
type repairing struct{}

// add queues a key, unless it waits already: then only the cause is new.
func (r *repairer) add(ctx context.Context, key string, d damage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.waiting[key]; ok {
		if old.since.Before(d.since) {
			r.waiting[key] = d
		}
		return
	}
	select {
	case r.queue <- key:
		r.waiting[key] = d
	default:
		r.count(ctx, dropped, 1)
		r.log.ErrorContext(ctx, "too many keys are to be repaired: this one stays as it is until its life ends", "waiting", maxWaiting)
	}
}

// take is called with a key from the queue. From then on a write of that key that
// fails is a new damage.
func (r *repairer) take(key string) damage {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.waiting[key]
	delete(r.waiting, key)
	r.busy = 1
	return d
}

// open counts the keys that are to be repaired.
func (r *repairer) open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting) + r.busy
}

// run repairs until ctx ends. After a failure it pauses, longer each time: most
// likely L2 is down, and no other key would fare better.
func (r *repairer) run(ctx context.Context) {
	pause := minPause
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-r.queue:
			if r.repair(ctx, key) {
				pause = minPause
				continue
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		}
	}
}

// repair makes one attempt, and queues the key again when it fails.
func (r *repairer) repair(ctx context.Context, key string) bool {
	d := r.take(key)
	ok := r.attempt(ctx, key, d)
	if !ok {
		r.add(ctx, key, d)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = 0
	return ok
}

// attempt has a trace of its own, which is linked to that of the write.
func (r *repairer) attempt(ctx context.Context, key string, d damage) bool {
	if time.Since(d.since) > r.users.ttl {
		r.count(ctx, expired, 1)
		return true
	}
	ctx, span := r.tracer.Start(context.WithValue(ctx, repairing{}, true), "repair users",
		trace.WithLinks(trace.Link{SpanContext: d.write}))
	defer span.End()
	if err := r.rewrite(ctx, key); err != nil {
		span.SetStatus(codes.Error, err.Error())
		r.count(ctx, failed, 1)
		return false
	}
	r.count(ctx, repaired, 1)
	r.log.InfoContext(ctx, "the tiers are equal again",
		"after", time.Since(d.since).String(), "write_trace_id", d.write.TraceID().String())
	return true
}

// rewrite gives the cache what the database has. It looks again afterwards: if
// somebody has written the database in the meantime, the cache may have got the
// newer value before it got this one.
func (r *repairer) rewrite(ctx context.Context, key string) error {
	u, err := r.users.db.get(ctx, key)
	for {
		before, gone := u, errors.Is(err, backends.ErrNotFound)
		switch {
		case gone:
			err = r.users.cache.Delete(ctx, key)
		case err == nil:
			err = r.users.cache.Set(ctx, key, u, r.users.ttl)
		}
		if err != nil {
			return err
		}
		u, err = r.users.db.get(ctx, key)
		if errors.Is(err, backends.ErrNotFound) == gone && u == before {
			return nil
		}
	}
}

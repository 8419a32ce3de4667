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
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

const (
	maxWaiting = 10_000 // keys
	minPause   = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// repairer writes keys again in which the tiers may differ, or may be older than the
// database, until they do not. It gets them from the cache's hook and from writers; one
// goroutine, that of run, repairs them.
type repairer struct {
	users  *users
	tracer trace.Tracer
	done   metric.Int64Counter
	again  metric.Int64Counter
	log    *slog.Logger

	queue   chan string // keys
	mu      sync.Mutex
	waiting map[string]damage // of the keys in queue
	busy    int               // 1 while one is being repaired
}

// damage is why the tiers may differ in a key, or are older than the database.
type damage struct {
	since time.Time
	write trace.SpanContext // that did it
}

// The results of an attempt, in the metric.
const (
	repaired = "repaired"
	failed   = "failed"  // it is made again
	expired  = "expired" // it was not made: the stale entry has expired
	dropped  = "dropped" // it was not made: too many keys wait
)

func (r *repairer) count(ctx context.Context, result string, n int64) {
	r.done.Add(ctx, n, metric.WithAttributes(attribute.String("result", result)))
}

// countAgain has the attributes of the cache's own counter, so that alerts can subtract
// the one from the other. 0 stands for a stale tier that is unknown.
func (r *repairer) countAgain(ctx context.Context, stale tier.ID, n int64) {
	r.again.Add(ctx, n, metric.WithAttributes(
		tracing.AttrCache.String(cacheName), tracing.AttrStaleTier.String(stale.String())))
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
	r.again, err = meter.Int64Counter("users.repair.inconsistencies",
		metric.WithDescription("Attempts to repair that left the tiers different again. The cache counts them too."))
	if err != nil {
		return nil, err
	}
	for _, stale := range []tier.ID{0, tier.L1, tier.L2} {
		r.countAgain(ctx, stale, 0)
	}
	for _, result := range []string{repaired, failed, expired, dropped} {
		r.count(ctx, result, 0) // or increase() would not see the first
	}
	_, err = meter.Int64ObservableGauge("users.repairs.open",
		metric.WithDescription("Keys that are to be repaired."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(r.open()))
			return nil
		}))
	return r, err
}

// enqueue is the cache's hook. It runs before the write returns to its caller, so
// it never waits.
func (r *repairer) enqueue(ctx context.Context, i tiercache.Inconsistency) {
	if i.Verdict.Resolved {
		return
	}
	if ctx.Value(repairing{}) != nil {
		r.countAgain(ctx, i.Verdict.Stale, 1) // the repairer knows by the error
		return
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
		r.log.ErrorContext(ctx, "too many keys are to be repaired: this one stays stale until it expires", "waiting", maxWaiting)
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

// rewrite writes the database's value to the cache. If somebody writes the database and
// the cache in the meantime, theirs is newer, and the cache keeps it.
func (r *repairer) rewrite(ctx context.Context, key string) error {
	u, err := r.users.db.get(ctx, key)
	switch {
	case errors.Is(err, backends.ErrNotFound):
		return r.users.cache.DeleteVersion(ctx, key, u.Version)
	case err != nil:
		return err
	default:
		return r.users.cache.Set(ctx, key, u, r.users.ttl)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// users is the database with the cache in front of it, for the handlers.
type users struct {
	cache  *tiercache.Cache[user]
	db     *database
	repair *repairer
	ttl    time.Duration
}

// cacheName is in all telemetry of the cache.
const cacheName = "users"

// l1TTL bounds how long this instance may miss the writes of others without coherence.
const l1TTL = time.Minute

// keepLoaded is how long L1 keeps what was read from the database while L2 is down.
const keepLoaded = 5 * time.Second

// errNotCached says that the database has the new value, and that the cache does not
// have it everywhere.
var errNotCached = errors.New("not in all tiers of the cache")

// newUsers makes the cache, over two stores that stay the caller's. L1 keeps
// users as they are, and L2 as bytes.
func newUsers(ctx context.Context, opts options, l1 backends.Backend[user], store backends.Backend[[]byte], tel *telemetry) (*users, error) {
	l2, err := backends.WithCodec(store, backends.JSON[user]())
	if err != nil {
		return nil, err
	}
	u := &users{db: newDatabase(tel, opts.databaseDelay), ttl: opts.ttl}
	if u.repair, err = newRepairer(ctx, u, tel); err != nil {
		return nil, err
	}
	u.cache, err = tiercache.New(cacheName, l1, l2,
		tiercache.WithWriteTimeout(opts.writeTimeout),
		tiercache.WithL1TTL(l1TTL, 0.1),
		// Whoever comes last, the cache keeps the user whom the database changed last.
		tiercache.WithSourceVersion(func(u user) uint64 { return u.Version }),
		tiercache.WithKeepLoaded(keepLoaded),
		tiercache.WithInconsistencyHook(u.repair.enqueue),
		coherence(opts, store),
		tiercache.WithTelemetry(
			tracing.WithTracerProvider(tel.tracers),
			tracing.WithMeterProvider(tel.meters),
			tracing.WithSlog(tel.log),
			tracing.WithKey(hashedKey(opts.keySecret)),
		))
	return u, err
}

// coherence returns nil, no option, for an L2 whose changes cannot be followed: badger,
// which only this process writes. While the changes in Redis are not known, L1 is not
// believed: readers ask Redis, and the database if that does not answer either.
func coherence(opts options, store backends.Backend[[]byte]) tiercache.Option {
	if opts.coherence == 0 || backends.AsWatcher(store) == nil {
		return nil
	}
	return tiercache.WithCoherence(opts.coherence, tiercache.AskL2)
}

// get returns an error that wraps backends.ErrNotFound when there is no user.
func (u *users) get(ctx context.Context, id string) (user, error) {
	return u.cache.GetOrLoad(ctx, id, u.ttl, func(ctx context.Context, _ string) (user, error) {
		return u.db.get(ctx, id)
	})
}

// put writes the database, and then the cache. It returns the user as the database has
// it. An error that wraps errNotCached means that only the cache went wrong.
func (u *users) put(ctx context.Context, value user) (user, error) {
	stored, err := u.db.put(ctx, value)
	if err != nil {
		u.unsure(ctx, value.ID)
		return stored, err
	}
	// The database has it now, so a caller who leaves must not keep the cache from it.
	// The user's version keeps those in order who do this at once.
	return stored, u.cached(ctx, stored.ID, u.cache.Set(context.WithoutCancel(ctx), stored.ID, stored, u.ttl))
}

// remove is put for a user who is deleted.
func (u *users) remove(ctx context.Context, id string) error {
	version, err := u.db.remove(ctx, id)
	if err != nil {
		u.unsure(ctx, id)
		return err
	}
	return u.cached(ctx, id, u.cache.DeleteVersion(context.WithoutCancel(ctx), id, version))
}

// unsure is for a write of the database that failed: it may have been committed, and the
// answer lost. The repair will look.
func (u *users) unsure(ctx context.Context, id string) {
	u.repair.add(ctx, id, damage{since: time.Now(), write: trace.SpanContextFromContext(ctx)})
}

// cached adds to an error of the cache that the database was written. If L2 has refused
// the write, the tiers are equal, so the hook was not called; but they are older than the
// database.
func (u *users) cached(ctx context.Context, id string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, tiercache.ErrInconsistent) {
		u.unsure(ctx, id)
	}
	return fmt.Errorf("%w: %w", errNotCached, err)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

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

// put writes the database, and then the cache. An error that wraps errNotCached
// means that only the second went wrong.
func (u *users) put(ctx context.Context, value user) error {
	if err := u.db.put(ctx, value); err != nil {
		return err
	}
	// The database has it now, so a caller who leaves must not keep the cache
	// from it.
	return notCached(u.cache.Set(context.WithoutCancel(ctx), value.ID, value, u.ttl))
}

// remove is put for a user who goes.
func (u *users) remove(ctx context.Context, id string) error {
	if err := u.db.remove(ctx, id); err != nil {
		return err
	}
	return notCached(u.cache.Delete(context.WithoutCancel(ctx), id))
}

func notCached(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errNotCached, err)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// users is the database with the cache in front of it, for the handlers.
type users struct {
	cache *tiercache.Cache[user]
	db    *database
	ttl   time.Duration
	log   *slog.Logger
}

// l1TTL bounds how long this instance may miss the writes of others without coherence.
const l1TTL = time.Minute

// keepLoaded is how long L1 keeps what was read from the database while L2 is down.
const keepLoaded = 5 * time.Second

// errNotCached says that the database has the new value, and that the cache does not
// have it everywhere.
var errNotCached = errors.New("not in all tiers of the cache")

// newUsers makes the cache, over two stores that stay the caller's. L1 keeps
// users as they are, and L2 as bytes.
func newUsers(opts options, l1 backends.Backend[user], store backends.Backend[[]byte], tel *telemetry) (*users, error) {
	l2, err := backends.WithCodec(store, backends.JSON[user]())
	if err != nil {
		return nil, err
	}
	u := &users{db: newDatabase(tel, opts.databaseDelay), ttl: opts.ttl, log: tel.log}
	u.cache, err = tiercache.New("users", l1, l2, append(repair(opts, store),
		tiercache.WithWriteTimeout(opts.writeTimeout),
		tiercache.WithL1TTL(l1TTL, 0.1),
		// Whoever comes last, the cache keeps the user whom the database changed last.
		tiercache.WithSourceVersion(func(u user) uint64 { return u.Version }),
		tiercache.WithTelemetry(
			tracing.WithTracerProvider(tel.tracers),
			tracing.WithMeterProvider(tel.meters),
			tracing.WithSlog(tel.log),
			tracing.WithKey(hashedKey(opts.keySecret)),
		))...)
	return u, err
}

// repair chooses how keys are repaired whose tiers differ, or are older than the database.
//
// With coherence the cache does it, by the versions of L2; and while the changes in Redis
// are not known, L1 is not believed: readers ask Redis, and the database if that does not
// answer either. Without, as over badger, which only this process writes, nothing shows
// which tier is newer: L1 drops its copy, and L2's expires.
func repair(opts options, store backends.Backend[[]byte]) []tiercache.Option {
	if opts.coherence == 0 || backends.AsWatcher(store) == nil {
		return []tiercache.Option{tiercache.WithDropDiverged()}
	}
	return []tiercache.Option{
		tiercache.WithCoherence(opts.coherence, tiercache.AskL2),
		tiercache.WithKeepLoaded(keepLoaded),
	}
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
	return stored, cached(u.cache.Set(context.WithoutCancel(ctx), stored.ID, stored, u.ttl))
}

// remove is put for a user who is deleted.
func (u *users) remove(ctx context.Context, id string) error {
	version, err := u.db.remove(ctx, id)
	if err != nil {
		u.unsure(ctx, id)
		return err
	}
	return cached(u.cache.DeleteVersion(context.WithoutCancel(ctx), id, version))
}

// unsure is for a write of the database that failed: it may have been committed, and the
// answer lost. The cache forgets the user, so the next reader asks the database.
func (u *users) unsure(ctx context.Context, id string) {
	if err := u.cache.Delete(context.WithoutCancel(ctx), id); err != nil {
		u.log.WarnContext(ctx, "the database may have been written, and the cache may be older", "error", err)
	}
}

// cached adds to an error of the cache that the database was written. The cache repairs
// the key, also if L2 has refused the write and the tiers are equal.
func cached(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errNotCached, err)
}

package redisbackend

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
	"github.com/tiercache/tiercache/tier"
)

// Backend is a [backends.Backend] over Redis. It is made by [New] and is safe
// for concurrent use.
//
// Set and Stage copy the value, except with [WithRawValues]: then they keep it.
// Get returns bytes that are the caller's. A nil value is read back as an empty
// one. Errors contain neither keys nor values.
type Backend struct {
	client    redis.UniversalClient
	prefix    string
	raw       bool
	now       func() time.Time
	retry     retry
	redirects bool
	oneSlot   bool                      // commands may have several keys
	reload    func(ctx context.Context) // nil, or for a cluster
	reloaded  atomic.Int64              // when, in Unix seconds
	desc      backends.Description
	log       *redislog.Log   // nil without WithLog
	server    redislog.Runner // with it
	hub       redislog.Hub    // with it
	limits    redislog.Limits
}

var (
	_ backends.Backend[[]byte] = (*Backend)(nil)
	_ backends.Stager[[]byte]  = (*Backend)(nil)
	_ backends.Describer       = (*Backend)(nil)
)

// New returns a Backend that uses client, which stays the caller's: New does not
// call it, and nothing here changes or closes it. Close it after the last call.
//
// One of [WithKeyPrefix] and [WithoutKeyPrefix] is required: nothing else keeps two
// backends on one server apart.
//
// It returns [ErrNilClient], [ErrAutoPipeliner], [ErrEndlessCalls],
// [ErrClientCache], [ErrReplicaReads], [ErrNoKeyPrefix], errors that wrap
// [ErrBadOption], and with [WithLog] also [ErrLogClient], [ErrLogContexts] or
// [ErrLogReplicaReads].
func New(client redis.UniversalClient, opts ...Option) (*Backend, error) {
	t, ok := traitsOf(client)
	switch {
	case !ok:
		return nil, ErrNilClient
	case t.pipelines:
		return nil, ErrAutoPipeliner
	case t.endless:
		return nil, ErrEndlessCalls
	case t.caches:
		return nil, ErrClientCache
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	switch {
	case t.replicas && c.log:
		return nil, ErrLogReplicaReads
	case t.replicas && !c.staleReads:
		return nil, ErrReplicaReads
	case c.log && t.connect == nil:
		return nil, ErrLogClient
	case c.log && !t.contexts:
		return nil, ErrLogContexts
	}
	if c.hasRetries {
		t.retry.max = c.retries
	}
	b := &Backend{
		client:    client,
		prefix:    c.prefix,
		raw:       c.raw,
		now:       c.now,
		retry:     t.retry,
		redirects: t.redirects,
		reload:    t.reload,
		oneSlot:   t.oneSlot,
		desc:      t.describe(c.instrumented),
		limits:    redislog.Limits{Prefix: len(c.prefix), Raw: c.raw, Log: c.log},
	}
	b.desc.Abilities = backends.Abilities{Batches: true, StaleReads: t.replicas}
	if c.log {
		b.withLog(&c, t)
	}
	return b, nil
}

// withLog makes b one with a log.
func (b *Backend) withLog(c *config, t traits) {
	partitions := c.partitions
	if partitions == 0 {
		partitions = t.partitions
	}
	b.log, b.server = redislog.New(c.prefix, partitions, c.logLength), runner{b.client}
	b.hub.Init(b.log, redislog.Client{
		Connect: connectLog(t.connect), Failed: b.reloadState, ForGood: neverPasses, WatchError: watchError,
	})
	a := &b.desc.Abilities
	a.Versions, a.Deadlines, a.Log = true, true, true
	b.desc.SetOperation, b.desc.DeleteOperation = "EVALSHA", "EVALSHA"
}

// Get returns the entry at key, unless it has expired. A key that is empty or
// too long cannot have been stored and is a miss. Errors are a [*backends.DamagedError]
// or an [*Error], which wraps the client's.
func (b *Backend) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	switch {
	case ctx == nil:
		return backends.Entry[[]byte]{}, false, backends.ErrNilContext
	case ctx.Err() != nil:
		return backends.Entry[[]byte]{}, false, notBegun(ctx, "get")
	case !b.storable(key):
		return backends.Entry[[]byte]{}, false, nil
	case b.raw:
		entry, ok, err = b.getRaw(ctx, b.prefix+key)
	case b.log != nil:
		entry, answer, err := b.GetIf(ctx, key, 0)
		return entry, answer.Found == backends.Hit, err
	default:
		entry, ok, err = b.get(ctx, b.prefix+key)
	}
	if err != nil || !ok || !entry.ExpiresAt.IsZero() && entry.Expired(b.now()) {
		return backends.Entry[[]byte]{}, false, err
	}
	return entry, true, nil
}

func (b *Backend) get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	data, err := b.client.Get(ctx, key).Bytes()
	if err != nil {
		return backends.Entry[[]byte]{}, false, b.readFailed(ctx, err)
	}
	h, value, err := redislog.Decode(data)
	if err != nil || h.Tombstone {
		return backends.Entry[[]byte]{}, false, err
	}
	return redislog.EntryOf(&h, value), true, nil
}

// readFailed returns nil for a miss.
func (b *Backend) readFailed(ctx context.Context, err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	b.lookAgain(ctx, err)
	return readError(ctx, err)
}

// lookAgain has the client of a cluster ask for its state, in the background and once a
// second at most, after a call that a server has not answered. By itself the client
// would go on calling a dead server for a minute.
func (b *Backend) lookAgain(ctx context.Context, err error) {
	if b.reload == nil || errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrPoolTimeout) {
		return
	}
	if _, answered := replyOf(err); answered {
		return
	}
	b.reloadState(ctx)
}

// reloadState has the client of a cluster ask for its state, once a second at most.
func (b *Backend) reloadState(ctx context.Context) {
	if b.reload == nil {
		return
	}
	now, last := time.Now().Unix(), b.reloaded.Load()
	if now != last && b.reloaded.CompareAndSwap(last, now) {
		b.reload(ctx)
	}
}

// Set stores the entry at key, in place of any other. One that has expired
// already removes the other. Errors are those of [Backend.Stage], and an
// [*Error], which says whether the write was certainly not applied.
func (b *Backend) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	if b.log != nil {
		_, err := b.Write(ctx, &backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry})
		return err
	}
	c, err := b.stage(key, entry)
	if err != nil {
		return err
	}
	return b.write(ctx, "set", c)
}

// Delete removes the entry at key. A key that is empty or too long cannot have
// been stored, so there is nothing to do. Errors are an [*Error], which says
// whether the write was certainly not applied.
func (b *Backend) Delete(ctx context.Context, key string) error {
	switch {
	case ctx == nil:
		return backends.ErrNilContext
	case !b.storable(key):
		return nil
	}
	if b.log != nil {
		_, err := b.Write(ctx, &backends.Write[[]byte]{Key: key, Kind: tier.Delete})
		return err
	}
	return b.write(ctx, "delete", change{key: b.prefix + key, remove: true})
}

// Describe names the system "redis" and the address and port of the server. Of a
// cluster that is the address in the client's options if there is just one; with
// several, and with sentinels or a ring, both are left empty, because no one
// server is the one.
func (b *Backend) Describe() backends.Description { return b.desc }

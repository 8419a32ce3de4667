package rueidisbackend

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/redislog"
	"github.com/tiercache/tiercache/tier"
)

const (
	// MaxKeySize is the greatest length of a key in bytes, prefix included. It is the
	// limit of Redis.
	MaxKeySize = redislog.MaxKeySize

	// MaxValueSize is the greatest length of a value in bytes, header included. It is
	// the limit of Redis unless its proto-max-bulk-len is changed.
	MaxValueSize = redislog.MaxValueSize
)

// Backend is a [backends.Backend] over Redis. It is made by [New] and is safe
// for concurrent use.
//
// Set and Stage copy the value. Get returns bytes that are the caller's. A nil value is
// read back as an empty one. Errors contain neither keys nor values.
type Backend struct {
	client  rueidis.Client
	raw     bool
	now     func() time.Time
	retries int
	single  bool // one server
	desc    backends.Description
	space   redislog.Keyspace
	server  redislog.Runner // with a log
	hub     redislog.Hub    // with one
	closed  map[*redislog.Partition]*atomic.Int32
}

var (
	_ backends.Backend[[]byte] = (*Backend)(nil)
	_ backends.Stager[[]byte]  = (*Backend)(nil)
	_ backends.Describer       = (*Backend)(nil)
)

// New returns a Backend that uses client, which stays the caller's: nothing here sends
// anything by it before the first call, changes or closes it. Close it after the last call.
//
// One of [WithKeyPrefix] and [WithoutKeyPrefix] is required: nothing else keeps two
// backends on one server apart.
//
// It returns [ErrNilClient], [ErrConnLifetime], [ErrReplicaReads], [ErrNoKeyPrefix], and
// errors that wrap [ErrBadOption].
func New(client rueidis.Client, opts ...Option) (*Backend, error) {
	t, ok := traitsOf(client)
	switch {
	case !ok:
		return nil, ErrNilClient
	case t.lifetime:
		return nil, ErrConnLifetime
	case t.replicas:
		return nil, ErrReplicaReads
	}
	c, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	b := &Backend{
		client:  client,
		raw:     c.raw,
		now:     c.now,
		retries: c.retries,
		single:  t.single,
		desc:    t.describe(c.instrumented),
		space: redislog.Keyspace{
			Prefix: c.prefix,
			Limits: redislog.Limits{Prefix: len(c.prefix), Raw: c.raw, Log: c.log},
			Single: c.raw || t.cluster && !c.log,
		},
	}
	b.desc.Abilities = backends.Abilities{Batches: true}
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
	b.space.Log, b.server = redislog.New(c.prefix, partitions, c.logLength), runner{b.client}
	b.closed = make(map[*redislog.Partition]*atomic.Int32, partitions)
	for _, p := range b.space.Log.Partitions {
		b.closed[p] = new(atomic.Int32)
	}
	b.hub.Init(b.space.Log, redislog.Client{
		Connect: b.connect, Failed: func(context.Context) {}, ForGood: forGood, WatchError: watchError,
	})
	a := &b.desc.Abilities
	a.Versions, a.Deadlines, a.Log = true, true, true
	b.desc.SetOperation, b.desc.DeleteOperation = "EVALSHA", "EVALSHA"
}

// logged reports whether b has a log.
func (b *Backend) logged() bool { return b.space.Log != nil }

// storable reports whether the server can have an entry at key.
func (b *Backend) storable(key string) bool { return b.space.Limits.CheckKey(key) == nil }

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
		return b.getRaw(ctx, b.space.Prefix+key)
	case b.logged():
		entry, answer, err := b.GetIf(ctx, key, 0)
		return entry, answer.Found == backends.Hit, err
	}
	entry, answer, err := b.get(ctx, nil, b.space.Prefix+key)
	return entry, answer.Found == backends.Hit, err
}

// Set stores the entry at key, in place of any other. One that has expired
// already removes the other. Errors are those of [Backend.Stage], and an
// [*Error], which says whether the write was certainly not applied.
func (b *Backend) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	set, err := b.Stage(ctx, key, entry)
	if err != nil {
		return err
	}
	return set(ctx)
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
	if b.logged() {
		_, err := b.Write(ctx, &backends.Write[[]byte]{Key: key, Kind: tier.Delete})
		return err
	}
	return b.write(ctx, "delete", change{key: b.space.Prefix + key, remove: true})
}

// Stage checks key and value against the limits of Redis, puts the header in
// front of a copy of the value, and returns the function that sends it. Nothing
// is sent before that. Errors are [backends.ErrEmptyKey] or a
// [*backends.TooLargeError]; both are certainly not applied.
func (b *Backend) Stage(ctx context.Context, key string, entry backends.Entry[[]byte]) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, backends.ErrNilContext
	}
	w := &backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry}
	if b.logged() {
		c, err := b.prepare(w)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			_, err := b.writeLogged(ctx, c)
			return err
		}, nil
	}
	c, err := b.stage(w)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return b.write(ctx, "set", c) }, nil
}

// Describe names the system "redis" and the address and port of the server. Of a
// cluster and with sentinels both are left empty, because no one server is the one.
func (b *Backend) Describe() backends.Description { return b.desc }

package redisbackend

import "errors"

var (
	// ErrNilClient is returned by [New] when it was given no client.
	ErrNilClient = errors.New("redisbackend: the client is nil: pass one made by redis.NewClient, " +
		"redis.NewClusterClient or redis.NewUniversalClient")

	// ErrEndlessCalls is returned by [New] for a client whose calls may never
	// end: it has no ReadTimeout or no WriteTimeout, and does not heed contexts.
	ErrEndlessCalls = errors.New("redisbackend: a call of this client may never end: " +
		"set ContextTimeoutEnabled in its options, or both ReadTimeout and WriteTimeout")

	// ErrClientCache is returned by [New] for a client with a client-side cache. Such a
	// client reads the value from before its own write until the server's message
	// arrives, and L1 would keep that value.
	ErrClientCache = errors.New("redisbackend: the client has a cache of its own, which may return overwritten values: " +
		"use one without ClientSideCache and ClientSideCacheConfig")

	// ErrReplicaReads is returned by [New] for the client of a cluster, or of a
	// master with sentinels, that sends reads to replicas: ReadOnly,
	// RouteByLatency, RouteRandomly or ReplicaOnly is set. [WithStaleReads] allows
	// it.
	ErrReplicaReads = errors.New("redisbackend: the client reads from replicas, which may return overwritten values: " +
		"use one without ReadOnly, RouteByLatency, RouteRandomly and ReplicaOnly, or allow it by WithStaleReads")

	// ErrAutoPipeliner is returned by [New] for a redis.AutoPipeliner. It hides
	// whether its client reads from replicas or may hang, and sends commands again
	// on its own.
	ErrAutoPipeliner = errors.New("redisbackend: the client is an AutoPipeliner: pass the client that it was made of")

	// ErrNoKeyPrefix is returned by [New] when it was given neither [WithKeyPrefix]
	// nor [WithoutKeyPrefix].
	ErrNoKeyPrefix = errors.New("redisbackend: no key prefix is given: values of another type under the same key " +
		"would be read as if they were these: use WithKeyPrefix with a prefix for each type, " +
		"or WithoutKeyPrefix if nothing else uses the database")

	// ErrLogClient is returned by [New] with [WithLog] for a client that gives no
	// connection of its own to a reader of the log: a redis.Ring, for instance, whose
	// keys move from one server to another when one is down.
	ErrLogClient = errors.New("redisbackend: a log needs a client of redis.NewClient, redis.NewFailoverClient " +
		"or redis.NewClusterClient")

	// ErrLogContexts is returned by [New] with [WithLog] for a client that does not
	// heed the deadlines of contexts: a connection that hangs would not be noticed.
	ErrLogContexts = errors.New("redisbackend: a log needs a client that heeds contexts: " +
		"set ContextTimeoutEnabled in its options")

	// ErrLogReplicaReads is returned by [New] with [WithLog] for a client that reads
	// from replicas, also with [WithStaleReads]: versions would go back.
	ErrLogReplicaReads = errors.New("redisbackend: the client reads from replicas, which lag behind the log: " +
		"use one without ReadOnly, RouteByLatency, RouteRandomly and ReplicaOnly, or do without WithLog")

	// ErrBadOption is wrapped by the errors of [New] that name a wrong option.
	ErrBadOption = errors.New("redisbackend: bad option")

	// ErrWithdrawn is the error that a client's hook gets when it sends a write once
	// more after Set or Delete has returned. It is never returned by a [Backend].
	ErrWithdrawn = errors.New("redisbackend: the write has ended and was not sent again")
)

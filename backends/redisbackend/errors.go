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

	// ErrClientCache is returned by [New] for a client with a client-side cache.
	// Such a client reads what was there before its own writes for as long as
	// the server's message is on its way, and a first tier would keep that.
	ErrClientCache = errors.New("redisbackend: the client has a cache of its own, which may return what was overwritten: " +
		"use one without ClientSideCache and ClientSideCacheConfig")

	// ErrBadOption is wrapped by the errors of [New] that say what is wrong with
	// which option.
	ErrBadOption = errors.New("redisbackend: bad option")

	// ErrWithdrawn is what a client's hook sees when it sends a write once more
	// after Set or Delete has returned. It is never returned by a [Backend].
	ErrWithdrawn = errors.New("redisbackend: the write has ended and was not sent again")
)

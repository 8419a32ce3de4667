// Package redisbackend keeps entries in Redis, or in a server that speaks its
// protocol: a second tier that all instances of a service share.
//
//	client := redis.NewClient(&redis.Options{
//		Addr:                  "redis:6379",
//		ContextTimeoutEnabled: true,
//	})
//	defer client.Close()
//
//	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("shop:"))
//	if err != nil {
//		return err
//	}
//	l2, err := backends.WithCodec(store, backends.JSON[User]())
//	if err != nil {
//		return err
//	}
//	err = l2.Set(ctx, "user:1", backends.Entry[User]{
//		Value:     user,
//		ExpiresAt: time.Now().Add(time.Hour),
//	})
//
// The client is the caller's: a single server, a sentinel, a cluster or a ring.
// It is never configured, given hooks, or closed here. Every operation is one
// round trip. Set ContextTimeoutEnabled in the client's options: without it
// go-redis ends a call that waits for the server by its own timeouts alone, and
// a context that ends is not noticed before that.
//
// # Format
//
// In front of every value is a header, unless [WithRawValues] is given:
//
//	byte 0       format, 0xC1
//	byte 1       flags: 1, there is a version; 2, there is a checksum
//	bytes 2-5    room for a checksum, 0 for now
//	bytes 6-13   expiry: Unix time in nanoseconds, big endian; 0: never
//	bytes 14-21  room for a version, 0 for now
//	bytes 22-    the value
//
// Other flags, and other formats, are of a later release: Get refuses them, and
// anything else that it cannot read, by a [*backends.DamagedError].
//
// # Expiry and clocks
//
// The expiry in the header is what counts. It comes from the clock of the
// writer, and Get compares it with the clock of the reader, so between the two
// an entry lives longer or shorter by as much as these differ. The key itself
// is given the rest of the entry's life in milliseconds, rounded up (PX), and
// not the instant (PXAT): the server's clock plays no part, and the key is there
// for at least as long as the entry, by the writer's clock. An entry that has
// expired when it is written is a DEL of its key.
//
// # What became of a write
//
// An error of Set or Delete is certainly not applied in two cases:
//
//   - No attempt was written to a connection. The command itself sees to that,
//     whatever the error says: it counts how often it was written, and after an
//     error it can not be written any more. So it holds for a connection that
//     was refused, for an address that was not found, for a full pool, a closed
//     client, a failed login, and for a context that ended before any of these.
//   - An attempt was answered by an error that Redis gives before it executes a
//     command: OOM, READONLY, LOADING, NOPERM and so on, see [Error].
//
// All else is unknown, in particular a timeout and a connection that was lost
// after the command was written. Errors that are not in the list are unknown
// too: a proxy may give one for a command whose answer it has lost.
//
// go-redis repeats commands on its own, and its error is that of the last
// attempt, which tells nothing of those before. So writes are sent as commands
// that go-redis must not repeat, and repeated here, as often and with the same
// pauses as the client's options ask for (MaxRetries; of a cluster,
// MaxRedirects); [WithWriteRetries] changes the number. What is repeated is an
// attempt that was certainly not applied. One of unknown outcome is not: it may
// still be on its way, and be applied after the repetition, or even after the
// next write of the key, without a trace. Hooks of the client see each attempt.
// In a cluster go-redis goes on following MOVED, ASK and READONLY, which execute
// nothing. Reads are left to go-redis.
//
// In a cluster, a call that got no answer also has the client ask for the
// cluster's state, which it would else do once a minute: a replica may have taken
// the place of a master that is gone.
//
// The limit of this: do not attach a hook that repeats commands itself. Where it
// shows, because a command was written twice and not to a cluster, the outcome is
// unknown; elsewhere its last error is taken for the only one.
package redisbackend

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
// # Keys
//
// A key prefix separates the caches that share one server, and [New] requires it: the
// header of a value does not contain its type, so two backends with the same prefix
// read each other's values, perhaps without an error. Give each type of value a prefix
// of its own: see [WithKeyPrefix].
//
// # Replicas
//
// [New] refuses a client that reads from replicas. Replicas lag, and L1 would keep
// their old values. See [WithStaleReads].
//
// # Format
//
// In front of every value is a header, unless [WithRawValues] is given:
//
//	byte 0       0xC1: no text in UTF-8, JSON or MessagePack begins with it
//	byte 1       format, 0x82
//	byte 2       flags: 1, the entry was deleted; 2, there is a note
//	byte 3       the codec that made the value; 0: unknown
//	bytes 4-11   expiry: Unix time in nanoseconds; 0: never
//	bytes 12-19  version; 0: none
//	bytes 20-27  version of the value's source; 0: none
//	bytes 28-35  the operation that wrote it; 0: unknown
//	then         one byte of length and the note, if there is one
//	then         the value
//
// Numbers are big endian. A header of 22 bytes, as the first releases wrote it, is read as
// that of an entry without versions. Other flags, and other formats, are of a later
// release: Get refuses them, and anything else that it cannot read, by a
// [*backends.DamagedError]. The first releases refuse the entries of this one in the
// same way: give their caches another key prefix while both run.
//
// # Expiry and clocks
//
// The expiry in the header decides. It comes from the clock of the writer, and Get
// compares it with the clock of the reader, so between the two an entry expires later
// or earlier by as much as these differ. The key itself is given the rest of the
// entry's TTL in milliseconds, rounded up (PX), and not the instant (PXAT): the
// server's clock plays no part, and the key is there for at least as long as the entry,
// by the writer's clock. An entry that has expired when it is written is a DEL of its
// key.
//
// # Outcomes of writes
//
// An error of Set or Delete is certainly not applied in two cases:
//
//   - No attempt was written to a connection. The command itself sees to that,
//     whatever the error says: it counts how often it was written, and after an
//     error it can not be written any more. So it holds for a connection that
//     was refused, for an address that was not found, for a full pool, a closed
//     client, a failed login, and for a context that ended before any of these.
//   - An attempt was answered by an error that Redis gives before it executes a
//     command. These begin with ASK, BUSY, CLUSTERDOWN, CROSSSLOT, DENIED,
//     LOADING, MASTERDOWN, MISCONF, MOVED, NOAUTH, NOPERM, NOREPLICAS, OOM,
//     READONLY, TRYAGAIN, WRONGPASS or WRONGTYPE, or with ERR and are about too
//     many clients, too long a value, an unknown command or an invalid expiry.
//
// All else is unknown, in particular a timeout and a connection that was lost
// after the command was written. Errors that are not in the list are unknown
// too: a proxy may give one for a command whose answer it has lost.
//
// go-redis repeats commands on its own, and its error is that of the last attempt,
// which says nothing about those before. So writes are sent as commands that go-redis
// must not repeat, and repeated here, as often and with the same pauses as the client's
// options ask for (MaxRetries; of a cluster, MaxRedirects); [WithWriteRetries] changes
// the number. An attempt is repeated only if it was certainly not applied. One of
// unknown outcome is not: it may still be on its way, and be applied after the
// repetition, or even after the next write of the key, without a trace. Hooks of the
// client see each attempt. In a cluster go-redis goes on following MOVED, ASK and
// READONLY, which execute nothing. go-redis retries reads itself.
//
// In a cluster, a call that got no answer also has the client ask for the cluster's
// state, which it would else do once a minute: a replica may have taken the place of a
// master that has failed.
//
// The limits of this: do not attach a hook that repeats commands itself. Where it
// shows, because a command was written twice and not to a cluster, the outcome is
// unknown; elsewhere its last error is taken for the only one. And the count rests
// on an assumption about go-redis, which its documentation does not state: it asks
// an argument that is an encoding.BinaryMarshaler for its bytes when it writes the
// command to a connection, once each time and at no other time. The first argument
// of the commands here, their name, is such a marshaler. A test of this package
// holds each release of go-redis to that.
//
// # Errors
//
// The text of an [Error] consists of fixed phrases of this package. Texts of the
// server and of the client are never shown, because they may quote a key or a value.
// The cause of a context that ended is shown: whoever cancels a context chooses it.
// Its error.type has one of these values:
//
//   - The first word of a reply of the server, if it is one of those above, or ERR,
//     BUSYGROUP, BUSYKEY, EXECABORT, INPROG, IOERR, NOGOODSLAVE, NOGROUP,
//     NOMASTERLINK, NOPROTO, NOQUORUM, NOSCRIPT, NOTBUSY, REDIRECT, UNBLOCKED or
//     UNKILLABLE. Any other reply is "redis_error".
//   - Of the call: "timeout" and "canceled".
//   - Of the client: "pool_timeout", "closed", and "bad_reply" for a reply that it
//     cannot read.
//   - Of the network: "connection_lost", "connection_refused", "host_not_found",
//     "dns_failure", "host_unreachable", "network_unreachable", "network_down",
//     "address_not_available", "too_many_open_files", "permission_denied",
//     "not_exist" (a Unix socket), and "os_error" for the rest. The text names the
//     operation, for instance "read: connection reset", and no addresses.
//   - Of TLS: "certificate_unknown_authority", "certificate_wrong_host",
//     "certificate_expired", "certificate_invalid", "tls_not_spoken".
//   - The Go type of any other error, of a hook for instance, or "_OTHER" for types
//     of packages errors and fmt, which only carry a text. The text names the type
//     too.
//
// Of the replies, these say that the server is healthy and has refused just one
// call, see [backends.FromHealthyStore]: CROSSSLOT, MISCONF, NOPERM, NOREPLICAS,
// OOM, READONLY, TRYAGAIN, WRONGTYPE, and those that begin with ERR and are about
// too long a value, an unknown command or an invalid expiry. So does a
// [*backends.DamagedError].
package redisbackend

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
// round trip; GetMany and WriteMany are a few. Set ContextTimeoutEnabled in the client's options: without it
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
// # Versions and the log
//
// With [WithLog] each write is a script, which checks the conditions, adds a message to a
// log, and stores the value, in this order and in one step. So a change that was applied
// is in the log, also if its answer was lost. The log is a stream of Redis beside the
// values:
//
//	<prefix>v2:{0/1}:<key>   a value
//	<prefix>v2:{0/1}log      the log
//	<prefix>v2:{0/1}place    its era, the server that began it, and a nonce
//
// In braces are the number of the partition and how many there are; see
// [WithLogPartitions]. They are the hash tag of a cluster, so a partition is in one slot.
// Values of a backend without a log are elsewhere: a cache that is switched begins empty.
//
// The id of a message, <era>-<seq>, is the version of its change. The server counts seq
// without holes. An era begins, in seconds since 2020 and greater than any before it,
// when the log is not the one that was there: it was deleted, it lacks a version that was
// seen, or another server answers. A writer that knows another place than the server's
// is told so before anything was written, asks for the place, and tries again. So no
// version is issued twice, and versions of different eras do not compare. GetIf takes a
// version of another era for unknown.
//
// A deleted entry leaves a tombstone, a header without a value, and a value's key stays
// after the entry has expired, both for [backends.Write].Keep. A value that is no entry
// of this library is never compared: a conditional write of its key fails, other writes
// replace it.
//
// [backends.Write].Before is decided by the server's clock (TIME). [Backend.StoreTime]
// estimates it from the replies that tell it, within half of their round trip.
//
// # Watching
//
// One reader follows each partition while [Backend.Watch] is called, over a connection of
// the client's pool. It blocks in XREAD while the log is idle, and rests up to 1.5 ms, or 10
// ms if messages are many, between reads of a busy one. Every 250 ms a heartbeat asks, in
// one script, who the server is, whether it is a master, which log it has, and where that
// ends. It proves that nothing was missed: messages have no holes up to the end of the
// log, it is the log of before, and it ends not before the newest version that any reply
// has shown. Sinks are then told that they are in sync as of the instant before the
// heartbeat was sent.
//
// A connection that is lost costs nothing as long as the log still has what comes next.
// All else is a loss, which is told once, after the reader has taken a new position by
// writing a message of its own. Two facts to know:
//
//   - Each partition has losses of its own. When a node of a cluster fails, as many
//     are told as it has partitions.
//   - Releases with other rules of the log announce themselves in it. When one is seen,
//     LossProtocol is told, and this backend is never in sync again.
//
// Limits: writes to two masters at once, while a failed one does not know it yet, are in
// two logs; programs that write keys of this prefix without a log are not seen; and a
// server that evicts keys of all kinds (allkeys-*) may evict the log, which begins a new
// era each time.
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
//     LOADING, MASTERDOWN, MISCONF, MOVED, NOAUTH, NOPERM, NOREPLICAS, NOSCRIPT,
//     OOM, READONLY, TRYAGAIN, WRONGPASS or WRONGTYPE, or with ERR and are about too
//     many clients, too long a value, an unknown command, an invalid expiry, or a
//     command that a script may not or cannot execute. A script stores its value
//     last, so an error within it leaves none.
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
// A change of a batch has the outcome that it would have alone: of a pipeline whose
// connection is lost, those that were answered are certain, and the others that were
// written are unknown.
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
//     NOMASTERLINK, NOPROTO, NOQUORUM, NOTBUSY, REDIRECT, UNBLOCKED or
//     UNKILLABLE. Any other reply is "redis_error".
//   - Of the call: "timeout" and "canceled".
//   - Of the log: "unsupported" for a server whose log cannot be trusted, and
//     "log_replaced" for one that is begun anew again and again.
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
// NOSCRIPT, OOM, READONLY, TRYAGAIN, WRONGTYPE, and those that begin with ERR and are
// about too long a value, an unknown command, an invalid expiry, or a command within a
// script. So does a [*backends.DamagedError].
package redisbackend

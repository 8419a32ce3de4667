// Package rueidisbackend keeps entries in Redis, or in a server that speaks its
// protocol, by the client rueidis: a second tier that all instances of a service share.
// Calls that are made at the same time share the round trips of one connection.
//
//	client, err := rueidis.NewClient(rueidis.ClientOption{
//		InitAddress:      []string{"redis:6379"},
//		DisableCache:     true,
//		AlwaysPipelining: true,
//	})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//
//	store, err := rueidisbackend.New(client, rueidisbackend.WithKeyPrefix("shop:"))
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
// The client is the caller's: a single server, a sentinel or a cluster. It is never
// configured or closed here. Every operation is one round trip; GetMany and WriteMany are a
// few.
//
// # What is stored
//
// The bytes in the server are those of package redisbackend, whose documentation describes
// the header in front of values, the keys, expiry and clocks, versions, and the log that
// [WithLog] writes. Processes may use either package on the same keys with the same options.
// [WithKeyPrefix] separates the caches that share one server, and [New] requires it.
//
// # The client
//
// [New] refuses a client with a ConnLifetime, see [ErrConnLifetime], and one that reads from
// replicas, see [ErrReplicaReads]. It looks for these options in the fields of rueidis's
// clients, also in those within another client that embeds one as a [rueidis.Client].
//
// Client-side caching is not used: DisableCache saves its memory.
//
// Set AlwaysPipelining. Without it rueidis lets a call wait for its answer itself if it is
// alone on a connection, and its context has a deadline. A cancellation goes unnoticed then;
// and when the deadline passes, it closes the connection, and with it the calls that came
// after it lose their answers. With it, a call that ends early harms no other.
//
// A server that does not answer is noticed after Dialer.KeepAlive and ConnWriteTimeout, 11
// seconds by default; choose less for both. A call waits for a connection that is being made,
// at most for Dialer.Timeout or the deadline of the call that makes it. And it waits, without
// heeding its context, while all places of its connection's queue are taken: that is 1024
// calls by default (RingScaleEachConn).
//
// # Retries
//
// All commands are sent as ones that rueidis must not repeat, reads too, whose repetition it
// would end only with the context. Reads are repeated here, and so are writes that were
// certainly not applied; see [WithRetries]. A write of unknown outcome is not: it may still
// be on its way, and be applied after the repetition, or even after the next write of the
// key, without a trace. In a cluster rueidis goes on following MOVED and ASK, which execute
// nothing.
//
// # Outcomes of writes
//
// An error of Set or Delete is certainly not applied in three cases:
//
//   - No connection was there: rueidis returned a [net.OpError] of a dial, or
//     [rueidis.ErrNoSlot], or [rueidis.ErrNoCache], which it finds when it connects. So it
//     holds for a connection that was refused and an address that was not found.
//   - The server answered the command itself by an error that Redis gives before it executes
//     a command. Package redisbackend's documentation lists them. A script stores its value
//     last, so an error within it leaves none.
//   - The context had ended before the call, or, with [WithLog], the place of the log could
//     not be asked for.
//
// All else is unknown:
//
//   - A connection that is lost. All calls that wait for their answers by it, perhaps
//     hundreds, are then unknown, except for those whose answers were read. Nothing tells
//     which of them were written.
//   - A context that ended. Its command may wait in the queue of its connection, and be sent
//     later: for as long as the connection is open.
//   - [rueidis.ErrClosing]. Calls get it that came after the client was closed, but also
//     those that waited while it was.
//   - An error reply to something else: to HELLO when a connection is made, or to AUTH when
//     credentials are renewed. Calls that wait for that connection get it as their own.
//   - Replies that are not in the list: a proxy may give one for a command whose answer it
//     has lost.
//
// A change of a batch has the outcome that it would have alone. Of a pipeline whose
// connection is lost, those that were answered are certain, and the others are unknown. If
// the client lets calls wait for their answers themselves (no AlwaysPipelining), rueidis drops
// the answers that it has read already, and all changes of that pipeline are unknown.
//
// The limits of this: a DialCtxFn or DialFn must return connections whose Read and Write
// return no [net.OpError] of a dial, and AuthCredentialsFn must return no such error
// unwrapped; and a client around rueidis's must not send a write twice.
//
// # Watching
//
// One reader follows each partition while [Backend.Watch] is called, over a dedicated
// connection, which is closed at the end. See package redisbackend for its heartbeat, and for
// the losses that it tells. With sentinels, set Sentinel.TopologyRefreshInterval: a client
// that has missed the message of a failover goes on with the old master.
//
// # Errors
//
// The text of an [Error] consists of fixed phrases of this package. Texts of the
// server and of the client are never shown, because they may quote a key or a value.
// The cause of a context that ended is shown: whoever cancels a context chooses it.
// Its error.type has one of the values that redisbackend has, without "pool_timeout", and
// with "no_slot" for a slot of a cluster without a node.
package rueidisbackend

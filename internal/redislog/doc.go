// Package redislog is all that the adapters to Redis have in common, whatever client they
// use: the format of values, the layout of keys, the scripts that write and read with
// versions, and the protocol of the log and its reader.
//
// An adapter makes a [Log], sends the calls that it prepares, and gives it the replies:
//
//	w := log.Prepare(write)
//	at, err := log.PlaceOf(ctx, server, w.Part, nil)
//	call := w.Call(at, time.Now())
//	// EVALSHA call.Script.SHA call.Keys call.Words...
//	result, again, err := w.Settle(reply, begin, at, &attempt)
//
// A [Hub] follows the log over connections of the adapter. Adapters decide alone what an
// error of their client leaves certain.
//
// The documentation of package redisbackend describes the format, the keys and the log.
package redislog

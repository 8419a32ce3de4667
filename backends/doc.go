// Package backends holds the interfaces through which tiercache talks to the
// stores behind its tiers, and decorators that need no store of their own.
//
// A store is a [Backend]: Get, Set and Delete. It declares its other abilities by small
// optional interfaces, which a cache looks for once, when it is made:
//
//   - [Describer]: its kind, its address, whether it is in-process.
//   - [Stager]: it can prepare a write, so that a value that cannot be
//     written is refused before any tier is touched.
//   - [ValueGetter]: it can return the value alone, which is faster.
//
// The following count only if the description declares the ability (see [Abilities]), because a
// decorator has the methods even over a store that lacks the ability:
//
//   - [Versioned]: each change has a version, and a [Write] may have a [Condition].
//   - [Clocked]: a [Write] has a deadline by the store's clock.
//   - [Batcher]: many keys in few round trips.
//   - [Watcher]: the changes of all processes can be followed.
//   - [Stamped], [Walker]: of an L1, which keeps a [Stamp] beside each value.
//
// A decorator passes them on with [Optional].
//
// A store of bytes is a Backend[[]byte]; [WithCodec] makes it a Backend of any
// type:
//
//	l2, err := backends.WithCodec(store, backends.JSON[User]())
//
// An error of Set or Delete means that the write may or may not have been
// applied, unless the error says that it certainly was not: see [NotApplied]
// and [CertainlyNotApplied].
//
// An error of any method may say that the store is healthy and that only this
// entry or call failed, so that no circuit breaker takes it for an outage: see
// [Healthy] and [FromHealthyStore].
//
// The package imports the standard library only. Adapters to real stores are
// modules of their own, below this folder. Package backendtest holds the
// conformance suite for implementers and a kit of faults for tests.
package backends

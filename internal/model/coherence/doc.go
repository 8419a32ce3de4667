// Package coherence is a model of the protocol that keeps many caches over one L2
// coherent: the log of writes, the reader that follows it, and the effect of messages on
// L1, on reads and on writes under way.
//
// The promise is that a hit in L1 that is not flagged shows no value that a logged write
// had replaced in L2 at the instant of the cache's proof. The cache serves unflagged hits
// for a bounded time after that instant, so the bound is the only clock, and the model
// needs none: [State.Check] compares each entry with the state of L2 at that instant.
//
// The steps are methods that return the value after the step: of a [Server], of a
// [Cache], which includes its [Reader]. A test of real code can call them next to it, and
// compare. [Model] lets them happen in every order within [Bounds]; [Parts] are the rules
// that can be left out.
package coherence

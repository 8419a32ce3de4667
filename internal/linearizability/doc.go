// Package linearizability checks the values that readers in one process get from a
// cache during writes, evictions and faults. It has tests only.
//
// Clients call Set, Delete, Get and GetOrLoad on few keys at once. A recorder notes the
// begin, the end and the result of each call; the checker of [porcupine] looks for an
// order of the calls that explains all answers. A key is a register of its own.
//
// Most rounds are random: calls of the tiers take random times in a synctest bubble, so
// that time costs nothing, and every round has its seed. Each claim is run that way.
// Each known violation has a counterexample made with gates, which the checker must
// reject. The claims are for the default read policy: with those that ask both tiers at
// once, none holds.
//
// # The model
//
// A register holds a value or nothing. The effects of the calls on it:
//
//   - A Get that answers reads the register. One that fails says nothing.
//   - A Set or Delete that answers nil writes it, between call and return. One
//     that fails and changed neither tier does nothing. Any other failure leaves
//     a tier's outcome applied or unknown: the write takes effect once, at any
//     time after its call, or never.
//   - A GetOrLoad whose own loader ran finds the register empty. It either stores the
//     loaded value in the same instant, or leaves it empty: then the write was fenced,
//     or failed, and the caller does not learn of it. Every loader returns a value of
//     its own.
//   - A GetOrLoad that shares the load of another caller finds the register empty, or
//     holding the loaded value. Once the caller whose loader it was has its answer,
//     nobody shares that load any more: then it is a read.
//   - A GetOrLoad that is cancelled while its loader runs may still fill the register
//     if that is empty, at any later time, or never.
//   - A GetOrLoad whose loader finds nothing reads an empty register.
//
// When L2, or L1, could not be read, the loader is asked although there may be a
// value. In rounds in which reads fail, a loaded value is therefore a write that
// may have happened, and nothing is concluded from sharing it.
//
// Under Sequential(L2First) and WriteAround the checker is stricter: a write that
// failed takes effect before it answers, or never. The reason is that the copy in L1 is
// dropped, and no faulty write here takes effect after its error. A store that applies
// a write after it has failed is a counterexample of its own.
//
// Values do not expire. Only the copy in L1 does, by
// tiercache.WithL1TTL, which is one more way to be evicted.
//
// # The end of a round
//
// Whatever the policy, and whether it is linearizable or not: once everything has
// ended, each key at which the tiers hold different values was an argument of the
// inconsistency hook.
//
// # Running it
//
// TIERCACHE_SEED repeats a run, as far as goroutines that wake up at the same moment
// allow. TIERCACHE_ROUNDS multiplies the number of rounds. The table of results is
// printed by
//
//	go test -v -run TestTable .
//
// [porcupine]: https://github.com/anishathalye/porcupine
package linearizability

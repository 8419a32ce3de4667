// Package linearizability checks what readers in one process can see of a cache
// while writes, evictions and faults go on around them. It has tests only.
//
// Clients call Set, Delete, Get and GetOrLoad on few keys at once. A recorder
// notes when each call began, when it ended, and what it answered; the checker
// of [porcupine] looks for an order of the calls that explains all answers. A
// key is a register of its own.
//
// Most rounds are random: calls of the tiers take random times in a synctest
// bubble, so that time costs nothing, and every round has its seed. What is
// claimed to hold is run that way, what is known not to hold has a
// counterexample made with gates, which the checker must reject. The claims are
// for the default read policy: with those that ask both tiers at once, none holds.
//
// # The model
//
// A register holds a value or nothing. What the calls do to it:
//
//   - A Get that answers reads the register. One that fails says nothing.
//   - A Set or Delete that answers nil writes it, between call and return. One
//     that fails and changed neither tier does nothing. Any other failure leaves
//     a tier's outcome applied or unknown: the write takes effect once, at any
//     time after its call, or never.
//   - A GetOrLoad whose own loader ran finds the register empty. It either fills
//     it in the same instant with what was loaded, or leaves it empty: then the
//     write was fenced, or failed, which its caller is not told. Every loader
//     returns a value of its own.
//   - A GetOrLoad that shares the load of another caller finds the register
//     empty, or holding what was loaded. Once the caller whose loader it was has
//     its answer, nobody shares that load any more: then it is a read.
//   - A GetOrLoad that gives up while its loader runs may still fill the register
//     if that is empty, at any later time, or never.
//   - A GetOrLoad whose loader finds nothing reads an empty register.
//
// When L2, or L1, could not be read, the loader is asked although there may be a
// value. In rounds in which reads fail, a loaded value is therefore a write that
// may have happened, and nothing is concluded from sharing it.
//
// Under Sequential(L2First) and WriteAround the checker is stricter: a write that
// failed takes effect before it answers, or never. That is so because the copy in
// L1 is dropped, and because no fault here lands after its error. A store that
// applies a write after it has failed is a counterexample of its own.
//
// Values do not expire. Only the copy in L1 does, by
// tiercache.WithL1TTL, which is one more way to be evicted.
//
// # The end of a round
//
// Whatever the policy, and whether it is linearizable or not: once everything has
// ended, a key that L1 has and L2 has differently is one that the hook for
// inconsistencies was told of.
//
// # Running it
//
// TIERCACHE_SEED repeats a run, as far as goroutines that wake up at the same
// moment allow. TIERCACHE_ROUNDS multiplies the number of rounds. The table of
// what holds is printed by
//
//	go test -v -run TestTable .
//
// [porcupine]: https://github.com/anishathalye/porcupine
package linearizability

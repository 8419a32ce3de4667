// Package backendtest helps to test backends and the code that uses them.
//
// [Suite] is the conformance suite that every [backends.Backend] should pass. It checks
// each of [backends.Abilities] that the backend declares.
// [CodecSuite] is the suite for a [backends.Codec] and values of a type.
//
// [Map] is the simplest backend that passes, with the abilities of an L1: stamps and
// walks. [Store] has those of an L2: versions, conditions, deadlines, batches and a log.
// Each process of a test has a [Client] of the Store. The test says when a client
// reads the log, when the store fails over, loses the end of its log, evicts a key or
// is flushed, so an interleaving is the same in each run.
//
// [Faults] wraps a backend and makes its calls fail as a test asks: before they
// are applied, after they were applied, never answering, late, with a panic, or
// held at a [Gate].
//
//	l2 := backendtest.WithFaults(backendtest.NewMap[string]())
//	l2.Next(tier.Set, backendtest.ApplyThenFail(errors.New("timeout")))
//
// The package imports this module and the standard library only, and package testing only for the
// suites. So a program may use the faults to show how it behaves.
package backendtest

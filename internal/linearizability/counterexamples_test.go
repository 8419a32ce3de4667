package linearizability

import (
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// A value is read in L1 before L2 has it, and then L1 drops it.
var evicted = &counterexample{
	"L1 shows a value before L2 has it, and may drop it",
	func(s *scenario) {
		s.put("old")
		writer := s.start(before(s.L2, tier.Set), func() { s.put("new") })
		s.sees("new")
		s.evict()
		s.sees("old")
		writer()
	},
}

// A value that L2 never got stays in L1, until a delete takes it from there. L2
// refuses that, too, and its older value comes back.
var uncovered = &counterexample{
	"L1 keeps what L2 refused; when that goes, L2's older value comes back",
	func(s *scenario) {
		s.put("old")
		refuse(s.L2, tier.Set)
		_ = s.set(s.t.Context(), 1, key, "new")
		s.sees("new")
		refuse(s.L2, tier.Delete)
		require.Error(s.t, s.delete(s.t.Context(), 1, key))
		s.sees("old")
	},
}

// A value is read in L1 before L2 refuses it, and then it is withdrawn.
var withdrawn = &counterexample{
	"L1 shows a value that is withdrawn when L2 refuses it",
	func(s *scenario) {
		s.put("old")
		gate := backendtest.NewGate()
		s.L2.Next(tier.Set, backendtest.Chain(gate.Before(), backendtest.FailBefore(errFault)))
		writer := s.start(gate, func() { s.newFails() })
		s.sees("new")
		writer()
		s.sees("old")
	},
}

// L1 applies a write and says that it failed, so that L2 is not written. As soon as L1
// cannot be read, readers get the value of L2 again.
var l1HalfWritten = &counterexample{
	"L1 may have what L2 was not given",
	func(s *scenario) {
		s.put("old")
		s.L1.Next(tier.Set, backendtest.ApplyThenFail(errFault))
		s.newFails()
		s.sees("new")
		s.L1.Next(tier.Get, backendtest.Lose(errFault))
		s.sees("old")
	},
}

// The same where the copy in L1 is dropped: it is seen before.
var l1Withdrawn = &counterexample{
	"L1 shows a value that is withdrawn when L1 fails after all",
	func(s *scenario) {
		s.put("old")
		gate := backendtest.NewGate()
		s.L1.Next(tier.Set, backendtest.Chain(backendtest.ApplyThenFail(errFault), gate.After()))
		writer := s.start(gate, func() { s.newFails() })
		s.sees("new")
		writer()
		s.sees("old")
	},
}

// L1 refuses a write, and to drop its copy. The policy counts it as a success, because
// L2 has the value.
var l1Missed = &counterexample{
	"success, although L1 may keep the older value",
	func(s *scenario) {
		s.put("old")
		refuse(s.L1, tier.Set)
		refuse(s.L1, tier.Delete)
		s.put("new")
		s.sees("old")
	},
}

// L1 keeps an older value than L2, which is an error. When L1 cannot be read, nor
// refilled, the newer one is seen, and then the older one again.
var l1Unreadable = &counterexample{
	"L1 may keep the older value, and may be unreadable now and then",
	func(s *scenario) {
		s.put("old")
		refuse(s.L1, tier.Set)
		s.newFails()
		s.newerThenOlder()
	},
}

// The same where L1 does not drop its copy.
var l1Undropped = &counterexample{
	"L1 may keep the older value, and may be unreadable now and then",
	func(s *scenario) {
		s.put("old")
		s.sees("old") // and now it is in L1
		refuse(s.L1, tier.Delete)
		s.newFails()
		s.newerThenOlder()
	},
}

// newerThenOlder reads "new" in L2, because L1 can neither be read nor refilled
// just then, and after that the "old" of L1.
func (s *scenario) newerThenOlder() {
	s.t.Helper()
	s.L1.Next(tier.Get, backendtest.Lose(errFault))
	refuse(s.L1, tier.Set)
	s.sees("new")
	s.sees("old")
}

// L2 is faster than L1, and the answer does not wait for L1.
var l1Late = &counterexample{
	"answers before L1 has the value",
	func(s *scenario) {
		s.restarted() // the answer to a Set of "old" might not wait for L1, too
		s.sees("old")
		gate := before(s.L1, tier.Set)
		s.put("new")
		s.sees("old")
		gate.Open()
	},
}

// L2 is faster than L1, whose write is then cancelled.
var l1Cancelled = &counterexample{
	"answers before L1 has the value, or without",
	func(s *scenario) {
		s.restarted() // a Set of "old" might be cancelled, too
		s.sees("old")
		s.L1.Next(tier.Set, backendtest.Hang())
		s.put("new")
		s.sees("old")
	},
}

// A reader that asks both tiers at once gets the older value from L2, at a time
// when L1 has the newer one, which others have seen. Before it looks at L1, that
// is gone from there.
var behindL1 = &counterexample{
	"L2 may be read before L1, and be older",
	func(s *scenario) {
		s.put("old")
		writer := s.start(before(s.L2, tier.Set), func() { s.put("new") })
		s.sees("new")
		l1, l2 := before(s.L1, tier.Get), s.foundInL2()
		reader := s.start(l2, func() { _, _ = s.get(s.t.Context(), 3, key) })
		writer()
		require.NoError(s.t, s.delete(s.t.Context(), 1, key))
		l1.Open()
		reader()
	},
}

// A reader that asks both tiers at once finds nothing in L1 before there is
// something, and the newer value in L2 before L1 has it.
var aheadOfL1 = &counterexample{
	"L2 may be read after L1, and be newer",
	func(s *scenario) {
		s.restarted()
		reader := s.start(before(s.L2, tier.Get), func() { _, _ = s.get(s.t.Context(), 3, key) })
		s.seesInL2("old")
		writer := s.start(s.writeOfL1(), func() { s.put("new") })
		reader()
		s.sees("old")
		writer()
	},
}

// Each tier is the faster one for one of two readers, while a writer has reached
// only one of them: L1, or L2.
var (
	fasterL1 = &counterexample{
		"the faster tier may be the older one",
		func(s *scenario) {
			s.put("old")
			writer := s.start(before(s.L2, tier.Set), func() { s.put("new") })
			s.seesWithout(s.L2, "new")
			s.seesWithout(s.L1, "old")
			writer()
		},
	}
	fasterL2 = &counterexample{
		"the faster tier may be the older one",
		func(s *scenario) {
			s.restarted()
			s.sees("old") // and now it is in L1
			writer := s.start(s.writeOfL1(), func() { s.put("new") })
			s.seesWithout(s.L1, "new")
			s.seesWithout(s.L2, "old")
			writer()
		},
	}
)

// writeOfL1 makes the next write of L1 wait: a set, or a delete where the policy drops
// the copy in L1.
func (s *scenario) writeOfL1() *backendtest.Gate {
	gate := backendtest.NewGate()
	s.L1.Next(tier.Set, gate.Before())
	s.L1.Next(tier.Delete, gate.Before())
	return gate
}

// seesWithout reads the value that it is given before the slower tier has
// answered.
func (s *scenario) seesWithout(slower *backendtest.Faults[string], want string) {
	s.t.Helper()
	gate := before(slower, tier.Get)
	s.sees(want)
	gate.Open()
	synctest.Wait()
}

// L2 goes on with a write after it has failed. Two readers that ask L2 before and after
// that store their results in L1, the older value last.
var appliedLate = &counterexample{
	"L2 applies a write after it has failed, and a slow refill brings the older value back",
	func(s *scenario) {
		s.restarted()
		s.L2.Next(tier.Set, backendtest.Lose(errFault))
		s.newFails()
		reader := s.start(s.foundInL2(), func() { _, _ = s.get(s.t.Context(), 3, key) })
		require.NoError(s.t, s.Map2.Set(s.t.Context(), key, backends.Entry[string]{Value: "new"}))
		s.seesInL2("new")
		reader()
		s.sees("old")
	},
}

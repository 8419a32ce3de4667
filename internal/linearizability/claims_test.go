package linearizability

import "github.com/tiercache/tiercache/writepolicy"

// column is a column of the table: the conditions of a cache.
type column struct {
	name   string
	rounds []conditions // each of them is tried
}

// columns of the table, in this order.
func columns() []column {
	return []column{
		{"no eviction, no faults", []conditions{{}}},
		{"eviction or expiry in L1", []conditions{{evict: true}, {expire: true}}},
		{"faults in L2", []conditions{{l2Fails: true}}},
		{"eviction or expiry in L1, and faults in L2", []conditions{{evict: true, l2Fails: true}, {expire: true, l2Fails: true}}},
		{"faults in L1", []conditions{{l1Fails: true}}},
	}
}

// claim is a row of the table: in which conditions a write policy keeps a cache
// linearizable to those who use it in one process. A nil cell claims that it
// holds; any other is a counterexample.
type claim struct {
	name   string
	policy func() writepolicy.Policy
	cells  [5]*counterexample

	// prompt claims more, where it holds: a write that failed has taken effect
	// when it answers, or never does. It is no claim about a store that goes on
	// with a write after it has failed.
	prompt bool
}

// counterexample is a script after which no order of the calls explains their results.
type counterexample struct {
	why    string
	script func(s *scenario)
}

// claims are the rows of the table, for the default read policy.
func claims() []claim {
	return []claim{
		{
			"Sequential()", func() writepolicy.Policy { return writepolicy.Sequential() },
			[5]*counterexample{nil, evicted, uncovered, evicted, l1HalfWritten},
			false,
		},
		{
			"Sequential(InvalidateL1())", func() writepolicy.Policy { return writepolicy.Sequential(writepolicy.InvalidateL1()) },
			[5]*counterexample{nil, evicted, withdrawn, evicted, l1Withdrawn},
			false,
		},
		{
			"Sequential(L2First)", func() writepolicy.Policy { return writepolicy.Sequential(writepolicy.L2First) },
			[5]*counterexample{nil, nil, nil, nil, l1Missed},
			true,
		},
		{
			"Parallel()", writepolicy.Parallel,
			[5]*counterexample{nil, evicted, uncovered, evicted, l1Unreadable},
			false,
		},
		{
			"OptimisticParallel()", writepolicy.OptimisticParallel,
			[5]*counterexample{nil, evicted, uncovered, evicted, l1Missed},
			false,
		},
		{
			"Race()", func() writepolicy.Policy { return writepolicy.Race() },
			[5]*counterexample{l1Late, l1Late, l1Late, l1Late, l1Late},
			false,
		},
		{
			"Race(CancelLoser())", func() writepolicy.Policy { return writepolicy.Race(writepolicy.CancelLoser()) },
			[5]*counterexample{l1Cancelled, l1Cancelled, l1Cancelled, l1Cancelled, l1Cancelled},
			false,
		},
		{
			"WriteAround()", writepolicy.WriteAround,
			[5]*counterexample{nil, nil, nil, nil, l1Undropped},
			true,
		},
	}
}

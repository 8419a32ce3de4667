package writepolicy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
	"github.com/tiercache/tiercache/writepolicy/policytest"
)

// builtin are the policies of the package, with each of their options.
func builtin() map[string]writepolicy.Policy {
	return map[string]writepolicy.Policy{
		"Sequential":                        writepolicy.Sequential(),
		"Sequential(L1First)":               writepolicy.Sequential(writepolicy.L1First),
		"Sequential(InvalidateL1)":          writepolicy.Sequential(writepolicy.InvalidateL1()),
		"Sequential(L2First)":               writepolicy.Sequential(writepolicy.L2First),
		"Sequential(L2First, InvalidateL1)": writepolicy.Sequential(writepolicy.L2First, writepolicy.InvalidateL1()),
		"Parallel":                          writepolicy.Parallel(),
		"OptimisticParallel":                writepolicy.OptimisticParallel(),
		"Race":                              writepolicy.Race(),
		"Race(MaxDetached(0))":              writepolicy.Race(writepolicy.MaxDetached(0)),
		"Race(MaxDetached(1))":              writepolicy.Race(writepolicy.MaxDetached(1)),
		"Race(CancelLoser)":                 writepolicy.Race(writepolicy.CancelLoser()),
		"WriteAround":                       writepolicy.WriteAround(),
		"WithName":                          writepolicy.WithName("other", writepolicy.Sequential()),
	}
}

func TestBuiltin_Conform(t *testing.T) {
	t.Parallel()
	for name, p := range builtin() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policytest.Run(t, p)
		})
	}
}

// row describes the calls of a policy for some outcomes. An empty set of outcomes
// stands for all of them.
type row struct {
	kinds    []tier.Kind
	l1, l2   []tier.Outcome
	drop     []tier.Outcome // of L1's copy
	calls    string
	returned string // the calls whose errors are returned; "": nil
}

var (
	set     = []tier.Kind{tier.Set}
	del     = []tier.Kind{tier.Delete}
	either  = []tier.Kind{tier.Set, tier.Delete}
	applied = []tier.Outcome{tier.Applied}
	failed  = []tier.Outcome{tier.Failed}
	unknown = []tier.Outcome{tier.Unknown}
	not     = []tier.Outcome{tier.Failed, tier.Unknown} // not certainly applied
)

var (
	l1First = []row{
		{kinds: either, l1: not, calls: "l1.write", returned: "l1.write"},
		{kinds: either, l1: applied, l2: applied, calls: "l1.write l2.write"},
		{kinds: either, l1: applied, l2: not, calls: "l1.write l2.write", returned: "l2.write"},
	}
	l1FirstInvalidating = []row{
		{kinds: either, l1: failed, calls: "l1.write", returned: "l1.write"},
		{kinds: either, l1: unknown, drop: applied, calls: "l1.write l1.drop", returned: "l1.write"},
		{kinds: either, l1: unknown, drop: not, calls: "l1.write l1.drop", returned: "l1.write l1.drop"},
		{kinds: either, l1: applied, l2: applied, calls: "l1.write l2.write"},
		{kinds: set, l1: applied, l2: not, drop: applied, calls: "l1.write l2.write l1.drop", returned: "l2.write"},
		{kinds: set, l1: applied, l2: not, drop: not, calls: "l1.write l2.write l1.drop", returned: "l2.write l1.drop"},
		{kinds: del, l1: applied, l2: not, calls: "l1.write l2.write", returned: "l2.write"},
	}
	l2First = []row{
		{kinds: either, l2: failed, calls: "l2.write", returned: "l2.write"},
		{kinds: either, l2: unknown, drop: applied, calls: "l2.write l1.drop", returned: "l2.write"},
		{kinds: either, l2: unknown, drop: not, calls: "l2.write l1.drop", returned: "l2.write l1.drop"},
		{kinds: either, l2: applied, l1: applied, calls: "l2.write l1.write"},
		{kinds: either, l2: applied, l1: not, drop: applied, calls: "l2.write l1.write l1.drop"},
		{kinds: set, l2: applied, l1: not, drop: not, calls: "l2.write l1.write l1.drop"},
		{kinds: del, l2: applied, l1: not, drop: not, calls: "l2.write l1.write l1.drop", returned: "l1.write l1.drop"},
	}
	around = []row{
		{kinds: either, l2: failed, calls: "l2.write", returned: "l2.write"},
		{kinds: either, l2: unknown, drop: applied, calls: "l2.write l1.drop", returned: "l2.write"},
		{kinds: either, l2: unknown, drop: not, calls: "l2.write l1.drop", returned: "l2.write l1.drop"},
		{kinds: either, l2: applied, drop: applied, calls: "l2.write l1.drop"},
		{kinds: either, l2: applied, drop: not, calls: "l2.write l1.drop", returned: "l1.drop"},
	}
	// The calls of those that follow begin in either order.
	allOfBoth = []row{
		{kinds: either, l1: applied, l2: applied, calls: "l1.write l2.write"},
		{kinds: either, l1: applied, l2: not, calls: "l1.write l2.write", returned: "l2.write"},
		{kinds: either, l1: not, l2: applied, calls: "l1.write l2.write", returned: "l1.write"},
		{kinds: either, l1: not, l2: not, calls: "l1.write l2.write", returned: "l1.write l2.write"},
	}
	oneOfBoth = []row{
		{kinds: either, l1: applied, l2: applied, calls: "l1.write l2.write"},
		{kinds: set, l1: applied, l2: not, calls: "l1.write l2.write"},
		{kinds: set, l1: not, l2: applied, calls: "l1.write l2.write"},
		{kinds: del, l1: applied, l2: not, calls: "l1.write l2.write", returned: "l2.write"},
		{kinds: del, l1: not, l2: applied, calls: "l1.write l2.write", returned: "l1.write"},
		{kinds: either, l1: not, l2: not, calls: "l1.write l2.write", returned: "l1.write l2.write"},
	}
)

// TestBuiltin_EveryOutcome runs every policy with every combination of outcomes.
// Exactly one row of its table must speak of each.
func TestBuiltin_EveryOutcome(t *testing.T) {
	t.Parallel()
	tables := map[string][]row{
		"Sequential": l1First, "Sequential(L1First)": l1First, "WithName": l1First,
		"Sequential(InvalidateL1)": l1FirstInvalidating,
		"Sequential(L2First)":      l2First, "Sequential(L2First, InvalidateL1)": l2First,
		"WriteAround":        around,
		"Parallel":           allOfBoth,
		"OptimisticParallel": oneOfBoth,
		"Race":               oneOfBoth, "Race(MaxDetached(0))": oneOfBoth, "Race(MaxDetached(1))": oneOfBoth,
		// The loser's write is cancelled or not, as it happens; with fakes that
		// end at once the answer does not depend on it.
		"Race(CancelLoser)": oneOfBoth,
	}
	for name, p := range builtin() {
		for _, kind := range either {
			for _, l1 := range outcomes {
				for _, l2 := range outcomes {
					for _, drop := range outcomes {
						t.Run(name+", "+describe(kind, l1, l2, drop), func(t *testing.T) {
							t.Parallel()
							want := theRow(t, tables[name], kind, l1, l2, drop)
							tier1, tier2 := newTiers(l1, l2)
							tier1.drop = drop
							err := p.Write(t.Context(), op(kind), tier1, tier2)
							j := tier1.journal
							assert.Equal(t, want.returned, j.in(err))
							assert.Equal(t, want.returned == "", err == nil, "%v", err)
							if concurrent(name) {
								assert.ElementsMatch(t, strings.Fields(want.calls), strings.Fields(j.made()))
							} else {
								assert.Equal(t, want.calls, j.made())
							}
						})
					}
				}
			}
		}
	}
}

func concurrent(policy string) bool {
	return strings.Contains(policy, "Parallel") || strings.HasPrefix(policy, "Race")
}

// theRow returns the one row that speaks of the outcomes.
func theRow(t *testing.T, table []row, kind tier.Kind, l1, l2, drop tier.Outcome) row {
	t.Helper()
	has := func(set []tier.Outcome, o tier.Outcome) bool {
		return len(set) == 0 || slices.Contains(set, o)
	}
	var found []row
	for _, r := range table {
		if slices.Contains(r.kinds, kind) && has(r.l1, l1) && has(r.l2, l2) && has(r.drop, drop) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d rows speak of it, want 1", len(found))
	}
	return found[0]
}

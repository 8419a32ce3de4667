package tally_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/tally"
	"github.com/tiercache/tiercache/tier"
)

// call is one call of a tier, between two instants.
type call struct {
	id         tier.ID
	verb       tally.Verb
	outcome    tier.Outcome
	begin, end int
}

// possible returns c, or one that can happen in its place: only a write has a
// condition that can refuse it.
func possible(c call) call {
	if c.outcome == tier.Superseded && c.verb != tally.Write {
		c.outcome = fail
	}
	return c
}

// history is the calls of one write, with the instants 1 to 2n at which they begin
// and end.
type history struct {
	kind   tier.Kind
	remote bool // L2 is outside of the process
	calls  []call
}

// tallied plays the history to a tally.
func (h history) tallied() *tally.Tally {
	t := &tally.Tally{Kind: h.kind, Remote: tier.Pair[bool]{L2: h.remote}}
	marks := map[int]tally.Mark{}
	for at := 1; at <= 2*len(h.calls); at++ {
		for i, c := range h.calls {
			switch at {
			case c.begin:
				marks[i] = t.Begin()
			case c.end:
				t.End(c.id, c.verb, marks[i], c.outcome, nil)
			}
		}
	}
	return t
}

// never is later than any instant of a history.
const never = 1000

// states goes through all worlds: each call of unknown outcome took effect or not,
// and the effects came in any order that the instants allow. It returns the states
// that a tier has in them.
func (h history) states(id tier.ID, compensated bool) (s tier.States) {
	var calls []call
	for _, c := range h.calls {
		if c.id != id || c.outcome == fail || !compensated && c.verb == tally.Compensate {
			continue
		}
		if c.outcome == unkn && h.remote && id == tier.L2 {
			c.end = never // it may still be on its way
		}
		calls = append(calls, c)
	}
	for _, last := range calls {
		if h.canBeLast(last, calls) {
			s |= h.effect(last)
		}
	}
	for _, c := range calls {
		if c.outcome != unkn {
			return s // it took effect, so the tier is not as before
		}
	}
	return s | tier.Before
}

// canBeLast reports whether there is a world in which the effect of c is the last.
// All other calls that certainly took effect must have been able to do so before it.
func (h history) canBeLast(c call, calls []call) bool {
	for _, other := range calls {
		if other != c && other.outcome != unkn && other.begin > c.end {
			return false
		}
	}
	return true
}

func (h history) effect(c call) tier.States {
	switch {
	case c.outcome == tier.Superseded:
		return tier.Newer
	case c.verb == tally.Compensate, c.verb == tally.Drop && h.kind == tier.Set:
		return tier.Absent
	default:
		return tier.After
	}
}

// differ reports whether, in some world, a reader that asks L1 and then L2 gets
// another answer than one that asks L2 alone, or a delete has reached one tier only
// and was not refused by the other for something newer.
func (h history) differ(l1, l2 tier.States) bool {
	content := func(s tier.States) string {
		switch {
		case s == tier.Before:
			return "old"
		case s == tier.Newer:
			return "newer"
		case s == tier.After && h.kind == tier.Set:
			return "new"
		default:
			return ""
		}
	}
	for s1 := tier.Before; s1 <= tier.Newer; s1 <<= 1 {
		for s2 := tier.Before; s2 <= tier.Newer; s2 <<= 1 {
			if l1&s1 == 0 || l2&s2 == 0 {
				continue
			}
			through := content(s1)
			if s1 == tier.Absent || through == "" && (h.kind == tier.Set || s2 == tier.Newer) {
				through = content(s2)
			}
			if through != content(s2) {
				return true
			}
		}
	}
	return false
}

func (h history) check(t *testing.T) {
	t.Helper()
	got := h.tallied()
	var want tier.Pair[tier.Possible]
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		*want.At(id) = tier.Possible{Written: h.states(id, false), Final: h.states(id, true)}
		for _, c := range h.calls {
			if c.id == id && id == tier.L2 && h.remote && c.outcome == unkn {
				want.At(id).Pending = true
			}
		}
		require.Equal(t, *want.At(id), got.Possible(id), "%v: %+v", id, h)
	}
	verdict := got.Verdict()
	apart := h.differ(want.L1.Final, want.L2.Final)
	l2 := want.L2.Final
	if want.L1.Final&tier.Absent != 0 && want.L2.Pending && l2&(l2-1) != 0 {
		apart = true // a reader may fill L1 before the write arrives
	}
	require.Equal(t, !apart, verdict.Agreed(), "%+v: %+v", verdict, h)
	require.Equal(t, !apart && !h.differ(want.L1.Written, want.L2.Written), verdict.Consistent, "%+v: %+v", verdict, h)
}

// TestTally_AllHistories has every history of up to two calls.
func TestTally_AllHistories(t *testing.T) {
	t.Parallel()
	var one []call
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		for _, verb := range []tally.Verb{tally.Write, tally.Drop, tally.Compensate} {
			for _, outcome := range []tier.Outcome{appl, fail, unkn, tier.Superseded} {
				one = append(one, possible(call{id: id, verb: verb, outcome: outcome}))
			}
		}
	}
	at := func(c call, begin, end int) call {
		c.begin, c.end = begin, end
		return c
	}
	for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
		for _, remote := range []bool{false, true} {
			history{kind, remote, nil}.check(t)
			for _, a := range one {
				history{kind, remote, []call{at(a, 1, 2)}}.check(t)
				for _, b := range one {
					for _, order := range [][4]int{{1, 2, 3, 4}, {1, 3, 2, 4}, {1, 4, 2, 3}} {
						history{kind, remote, []call{at(a, order[0], order[1]), at(b, order[2], order[3])}}.check(t)
					}
				}
			}
		}
	}
}

// TestTally_RandomHistories has histories of up to six calls.
func TestTally_RandomHistories(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 30_000 {
		h := history{kind: tier.Set + tier.Kind(random.IntN(2)), remote: random.IntN(2) == 0}
		instants := random.Perm(2 * (1 + random.IntN(6)))
		for i := 0; i < len(instants); i += 2 {
			a, b := instants[i]+1, instants[i+1]+1
			h.calls = append(h.calls, possible(call{
				id: tier.L1 + tier.ID(random.IntN(2)), verb: tally.Verb(random.IntN(3)),
				outcome: appl + tier.Outcome(random.IntN(4)), begin: min(a, b), end: max(a, b),
			}))
		}
		h.check(t)
	}
}

// FuzzTally reads a history from bytes: two for each call.
func FuzzTally(f *testing.F) {
	f.Add([]byte{0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		h := history{kind: tier.Set, remote: len(data)%2 == 1}
		var instants []int
		for i := 0; i+1 < len(data) && len(h.calls) < 8; i += 2 {
			b := int(data[i])
			if b&128 != 0 {
				h.kind = tier.Delete
			}
			h.calls = append(h.calls, possible(call{
				id: tier.L1 + tier.ID(b%2), verb: tally.Verb(b / 2 % 3), outcome: appl + tier.Outcome(b/6%4),
			}))
			place := len(instants)
			if place > 0 {
				place = int(data[i+1]) % (place + 1)
			}
			instants = append(instants[:place], append([]int{len(h.calls) - 1}, instants[place:]...)...)
			instants = append(instants, len(h.calls)-1)
		}
		for at, i := range instants {
			if h.calls[i].begin == 0 {
				h.calls[i].begin = at + 1
			} else {
				h.calls[i].end = at + 1
			}
		}
		h.check(t)
	})
}

// outcomes are the results as an error and an event show them.
type outcomes struct{ l1, c1, l2, c2 tier.Outcome }

// TestTally_Results has a row for each way in which a policy may call a tier more
// than once.
func TestTally_Results(t *testing.T) {
	t.Parallel()
	const (
		w, d, c = tally.Write, tally.Drop, tally.Compensate
		supd    = tier.Superseded
	)
	type step struct {
		id      tier.ID
		verb    tally.Verb
		outcome tier.Outcome
	}
	one, two := tier.L1, tier.L2
	for _, row := range []struct {
		name    string
		steps   []step
		want    outcomes
		success bool // of a Set
		verdict string
	}{
		{"nothing", nil, outcomes{}, false, "consistent"},
		{"both written", []step{{one, w, appl}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"l1 alone", []step{{one, w, appl}}, outcomes{l1: appl}, true, "l2 none open"},
		{"l2 alone", []step{{two, w, appl}}, outcomes{l2: appl}, true, "l1 none open"},
		{"l1 failed", []step{{one, w, fail}}, outcomes{l1: fail}, false, "consistent"},
		{"l2 failed", []step{{one, w, appl}, {two, w, fail}}, outcomes{l1: appl, l2: fail}, true, "l2 none open"},
		{"l2 unknown", []step{{one, w, appl}, {two, w, unkn}}, outcomes{l1: appl, l2: unkn}, true, "l2 none open"},
		{"both unknown", []step{{one, w, unkn}, {two, w, unkn}}, outcomes{l1: unkn, l2: unkn}, false, "unknown none open"},
		{"l1 retried without success", []step{{one, w, fail}, {one, w, fail}}, outcomes{l1: fail}, false, "consistent"},
		{"l2 retried", []step{{one, w, appl}, {two, w, fail}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"l2 unknown, retried", []step{{one, w, appl}, {two, w, unkn}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"unknown, then failed", []step{{one, w, appl}, {two, w, unkn}, {two, w, fail}}, outcomes{l1: appl, l2: unkn}, true, "l2 none open"},
		{"applied, then unknown", []step{{one, w, appl}, {two, w, appl}, {two, w, unkn}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"applied, then failed", []step{{one, w, appl}, {two, w, appl}, {two, w, fail}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"l1 compensated", []step{{one, w, appl}, {two, w, fail}, {one, c, appl}}, outcomes{l1: appl, c1: appl, l2: fail}, false, "l2 applied resolved"},
		{"compensation failed", []step{{one, w, appl}, {two, w, fail}, {one, c, fail}}, outcomes{l1: appl, c1: fail, l2: fail}, true, "l2 failed open"},
		{"compensation unknown", []step{{one, w, appl}, {two, w, fail}, {one, c, unkn}}, outcomes{l1: appl, c1: unkn, l2: fail}, false, "l2 failed open"},
		{"compensation retried", []step{{one, w, appl}, {two, w, fail}, {one, c, fail}, {one, c, appl}}, outcomes{l1: appl, c1: appl, l2: fail}, false, "l2 applied resolved"},
		{"compensation unknown, then failed", []step{{one, w, appl}, {two, w, appl}, {two, c, unkn}, {two, c, fail}}, outcomes{l1: appl, l2: appl, c2: unkn}, true, "l1 failed open"},
		{"compensated twice", []step{{one, w, appl}, {two, w, fail}, {one, c, appl}, {one, c, fail}}, outcomes{l1: appl, c1: appl, l2: fail}, false, "l2 applied resolved"},
		{"compensated, then written", []step{{one, c, appl}, {one, w, appl}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"compensated, then perhaps written", []step{{one, c, appl}, {one, w, unkn}, {two, w, fail}}, outcomes{l1: unkn, l2: fail}, false, "l2 none open"},
		{"compensated, then not written", []step{{one, c, appl}, {one, w, fail}, {two, w, fail}}, outcomes{l1: fail, c1: appl, l2: fail}, false, "consistent"},
		{"l2 compensated", []step{{one, w, appl}, {two, w, appl}, {two, c, appl}}, outcomes{l1: appl, l2: appl, c2: appl}, true, "l1 applied open"},
		{"both compensated", []step{{one, w, appl}, {two, w, appl}, {one, c, appl}, {two, c, appl}}, outcomes{l1: appl, c1: appl, l2: appl, c2: appl}, false, "consistent"},
		{"written around", []step{{two, w, appl}, {one, d, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"written around, l1 first", []step{{one, d, appl}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"written around, l1 first, l2 failed", []step{{one, d, appl}, {two, w, fail}}, outcomes{l1: appl, l2: fail}, false, "consistent"},
		{"written around, the drop failed", []step{{two, w, appl}, {one, d, fail}}, outcomes{l1: fail, l2: appl}, true, "l1 none open"},
		{"written around, the drop unknown", []step{{two, w, appl}, {one, d, unkn}}, outcomes{l1: unkn, l2: appl}, true, "l1 none open"},
		{"l1 written, l2 dropped", []step{{one, w, appl}, {two, d, appl}}, outcomes{l1: appl, l2: appl}, true, "l1 none open"},
		{"l1 written, l2 perhaps dropped, then refused", []step{{one, w, appl}, {two, w, appl}, {two, d, unkn}, {two, d, fail}}, outcomes{l1: appl, l2: appl}, true, "l1 none open"},
		{"both dropped", []step{{one, d, appl}, {two, d, appl}}, outcomes{l1: appl, l2: appl}, false, "consistent"},
		{"written after a drop", []step{{one, d, appl}, {one, w, appl}, {two, w, appl}}, outcomes{l1: appl, l2: appl}, true, "consistent"},
		{"refused by l2, l1 written", []step{{one, w, appl}, {two, w, supd}}, outcomes{l1: appl, l2: supd}, true, "l1 none open"},
		{"refused by l2, l1 dropped", []step{{two, w, supd}, {one, c, appl}}, outcomes{l2: supd, c1: appl}, true, "l1 applied resolved"},
		{"refused by l2, l1 dropped as its part", []step{{two, w, supd}, {one, d, appl}}, outcomes{l1: appl, l2: supd}, true, "consistent"},
		{"refused by l2, the drop failed", []step{{two, w, supd}, {one, d, fail}}, outcomes{l1: fail, l2: supd}, true, "l1 none open"},
		{"refused by both", []step{{two, w, supd}, {one, w, supd}}, outcomes{l1: supd, l2: supd}, true, "consistent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			book := tally.Tally{Kind: tier.Set}
			for _, s := range row.steps {
				book.End(s.id, s.verb, book.Begin(), s.outcome, nil)
			}
			r := book.Results()
			require.Equal(t, row.want, outcomes{r.L1.Outcome, r.L1.Compensation, r.L2.Outcome, r.L2.Compensation})
			require.Equal(t, row.success, book.Succeeded(), "it may count as a success")
			v, verdict := book.Verdict(), "consistent"
			if !v.Consistent {
				verdict = fmt.Sprintf("%s %s %s", v.Stale, v.Compensation, map[bool]string{true: "resolved", false: "open"}[v.Resolved])
			}
			require.Equal(t, row.verdict, verdict)
			book.Reset()
			require.Equal(t, tier.Verdict{Consistent: true}, book.Verdict())
			require.Equal(t, tier.Pair[tier.Result]{}, *book.Results())
		})
	}
}

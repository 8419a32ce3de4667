package tier

// States is a set of states in which a tier may be after an operation.
type States uint8

// The states.
const (
	Before States = 1 << iota // as before the operation
	After                     // it has done its part: it stored or removed the value
	Absent                    // its copy was dropped
	Newer                     // it holds something newer than the operation
)

// Possible is the set of states in which one tier may be after an operation.
type Possible struct {
	Written States // by the operation's own writes
	Final   States // by its writes and its compensation
	Pending bool   // a write of unknown outcome may still take effect
}

// Compensation is the outcome of dropping copies after a write that did not
// reach both tiers.
type Compensation uint8

// The compensations.
const (
	NoCompensation      Compensation = iota // none was attempted
	CompensationApplied                     // the copy was dropped
	CompensationFailed                      // the copy may still be there
)

// String returns "none", "applied" or "failed".
func (c Compensation) String() string {
	switch c {
	case NoCompensation:
		return "none"
	case CompensationApplied:
		return "applied"
	default:
		return "failed"
	}
}

// Verdict says whether the tiers may differ after an operation.
type Verdict struct {
	// Consistent reports that the tiers cannot differ, with or without
	// compensation. The other fields are then zero.
	Consistent bool

	// Stale is the tier that may hold the older state while the other holds the
	// newer one. It is 0 when it may be either.
	Stale ID

	// Compensation is the attempt to drop the copy that differs.
	Compensation Compensation

	// Resolved reports that the compensation made sure that the tiers do not differ.
	Resolved bool
}

// Agreed reports whether the tiers cannot differ now: they never could, or the
// compensation resolved it.
func (v Verdict) Agreed() bool { return v.Consistent || v.Resolved }

// Assess decides whether the tiers may differ. It goes through all pairs of
// states that are possible.
//
// An absent copy in L1 agrees with anything in L2, because reads then go to L2,
// unless a write of L2 is still pending: L1 may be refilled before it arrives. An
// absent copy in L2 agrees only with a deleted one, because L1 still answers. A
// copy that was deleted in L1 agrees with something newer in L2, too.
func Assess(kind Kind, p Pair[Possible], compensation Compensation) Verdict {
	written := compare(kind, p.L1.Written, p.L2.Written)
	final := compare(kind, p.L1.Final, p.L2.Final)
	if p.L1.Final&Absent != 0 && p.L2.Pending && p.L2.Final&(p.L2.Final-1) != 0 {
		final.differ, final.staleL1 = true, true
	}
	switch {
	case !written.differ && !final.differ:
		return Verdict{Consistent: true}
	case !written.differ:
		return Verdict{Stale: final.stale(), Compensation: compensation}
	default:
		return Verdict{Stale: written.stale(), Compensation: compensation, Resolved: !final.differ}
	}
}

// comparison is the result of comparing all pairs of possible states.
type comparison struct{ differ, staleL1, staleL2 bool }

// stale returns the tier that is stale in all pairs that differ.
func (c comparison) stale() ID {
	switch {
	case c.staleL1 && c.staleL2:
		return 0
	case c.staleL2:
		return L2
	default:
		return L1
	}
}

func compare(kind Kind, l1, l2 States) (c comparison) {
	for s1 := Before; s1 <= Newer; s1 <<= 1 {
		for s2 := Before; s2 <= Newer; s2 <<= 1 {
			if l1&s1 != 0 && l2&s2 != 0 && !agree(kind, s1, s2) {
				c.add(s1, s2)
			}
		}
	}
	return c
}

// add adds a pair of states that do not agree.
func (c *comparison) add(s1, s2 States) {
	c.differ = true
	if s2 == Absent || s1 < s2 {
		c.staleL1 = true
	} else {
		c.staleL2 = true
	}
}

func agree(kind Kind, s1, s2 States) bool {
	return s1 == s2 || s1 == Absent || kind == Delete && s1 == After && s2&(Absent|Newer) != 0
}

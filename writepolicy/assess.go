package writepolicy

// TierID names one of the two tiers.
type TierID uint8

// The tiers.
const (
	L1 TierID = iota + 1 // in the process
	L2                   // shared or persistent
)

// String returns "l1" or "l2", and "unknown" for any other value.
func (t TierID) String() string {
	switch t {
	case L1:
		return "l1"
	case L2:
		return "l2"
	default:
		return "unknown"
	}
}

// Compensation is what became of the attempt to drop the copy of a tier.
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

// Verdict says what the outcomes of an operation mean for its key.
type Verdict struct {
	// Consistent says that the outcomes do not allow the tiers to differ. The
	// other fields are then zero.
	Consistent bool

	// Stale is the tier that may hold the older state while the other holds the
	// newer one. It is 0 when it may be either.
	Stale TierID

	// Compensation is what was tried to make good for it.
	Compensation Compensation

	// Resolved says that the compensation left no way for the tiers to answer
	// differently.
	Resolved bool
}

// Agreed reports whether the tiers cannot differ now: they never could, or that
// was resolved.
func (v Verdict) Agreed() bool { return v.Consistent || v.Resolved }

// Assess decides from the final outcomes of both tiers whether they may differ:
// they cannot when both applied the write, or when neither may have. The last
// two arguments are the outcomes of dropping the copies of the tiers in
// compensation, [Skipped] where that was not attempted.
//
// A dropped copy in L1 resolves any difference, because reads then go to L2. A
// dropped copy in L2 does not, because L1 still answers; it even makes a
// difference where there was none.
func Assess(l1, l2, dropL1, dropL2 Outcome) Verdict {
	agree := l1 == Applied && l2 == Applied || !l1.possible() && !l2.possible()
	if agree && (!dropL2.possible() || dropL1 == Applied) {
		return Verdict{Consistent: true}
	}
	if agree {
		return Verdict{Stale: L1, Compensation: compensation(dropL1, dropL2)}
	}
	v := Verdict{Stale: stale(l1, l2), Compensation: compensation(dropL1, dropL2)}
	v.Resolved = dropL1 == Applied
	return v
}

// stale is called only for outcomes that allow a difference. The tier that
// cannot have missed the write, or alone may have got it, is not the stale one.
func stale(l1, l2 Outcome) TierID {
	switch {
	case l1 == Unknown && l2 == Unknown:
		return 0
	case l1 == Applied || !l2.possible():
		return L2
	default:
		return L1
	}
}

func compensation(dropL1, dropL2 Outcome) Compensation {
	switch {
	case dropL1 == Skipped && dropL2 == Skipped:
		return NoCompensation
	case dropL1 == Failed, dropL1 == Unknown, dropL2 == Failed, dropL2 == Unknown:
		return CompensationFailed
	default:
		return CompensationApplied
	}
}

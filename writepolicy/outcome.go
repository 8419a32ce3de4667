package writepolicy

import "errors"

// Outcome is what became of a write in one tier.
type Outcome uint8

// The outcomes.
const (
	Skipped Outcome = iota // never attempted
	Applied                // certainly applied
	Failed                 // certainly not applied
	Unknown                // it may have been applied
)

// String returns "skipped", "applied", "failed" or "unknown".
func (o Outcome) String() string {
	switch o {
	case Skipped:
		return "skipped"
	case Applied:
		return "applied"
	case Failed:
		return "failed"
	default:
		return "unknown"
	}
}

// possible reports whether the tier may hold what was written.
func (o Outcome) possible() bool { return o == Applied || o == Unknown }

// OutcomeOf returns the outcome of a write of a [Tier] that returned err:
// Applied for nil, what the first error in err's tree with a method
// Outcome() Outcome says, and Unknown for any other error.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Applied
	}
	var o interface{ Outcome() Outcome }
	if errors.As(err, &o) {
		return o.Outcome()
	}
	return Unknown
}

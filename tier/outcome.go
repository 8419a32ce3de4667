package tier

import "errors"

// Outcome is the result of a write in one tier.
type Outcome uint8

// The outcomes.
const (
	Skipped    Outcome = iota // never attempted
	Applied                   // certainly applied
	Failed                    // certainly not applied
	Unknown                   // it may have been applied
	Superseded                // refused, because the tier holds something newer
)

// Outcomes is the number of outcomes, for arrays indexed by an [Outcome].
const Outcomes = int(Superseded) + 1

// String returns "skipped", "applied", "failed", "unknown" or "superseded".
func (o Outcome) String() string {
	if int(o) >= Outcomes {
		return "unknown"
	}
	return [Outcomes]string{"skipped", "applied", "failed", "unknown", "superseded"}[o]
}

// Possible reports whether the tier may have applied the write.
func (o Outcome) Possible() bool { return o == Applied || o == Unknown }

// OutcomeOf returns the outcome of a write that returned err: Applied for nil,
// the outcome that the first error in err's tree with a method Outcome() Outcome
// returns, and Unknown for any other error.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return Applied
	}
	if o, ok := errors.AsType[interface {
		error
		Outcome() Outcome
	}](err); ok {
		return o.Outcome()
	}
	return Unknown
}

package tier

import (
	"fmt"
	"strings"

	"github.com/tiercache/tiercache/internal/errtype"
)

// Result is the result of an operation in one tier.
type Result struct {
	// Outcome is the outcome of the tier's part in the write: to store the value, to
	// remove it, or to drop the copy, as a write-around does in L1.
	Outcome Outcome
	// Err is the tier's error when the outcome is Failed or Unknown.
	Err error
	// Compensation is the outcome of dropping the tier's copy because the write
	// did not reach the other tier, Skipped when that was not attempted, and
	// CompensationErr its error.
	Compensation    Outcome
	CompensationErr error
}

// untouched reports whether the tier certainly is as it was.
func (r Result) untouched() bool { return !r.Outcome.Possible() && !r.Compensation.Possible() }

// WriteError is the error of a write. Its text contains neither the key nor the
// value. It must not be modified.
type WriteError struct {
	Kind    Kind
	Policy  string
	L1, L2  Result
	Verdict Verdict // on whether the tiers may differ now

	// Cause is the reason why no tier was called, for instance a value that cannot be encoded, or a
	// context that ended while the write waited for the key's lock; or it is an error of the policy
	// itself. It is nil when the tiers' errors are the only ones.
	Cause error
}

// Error returns the outcome in each tier, its reason, and the state of the tiers.
func (e *WriteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tiercache: %s (%s): ", e.Kind, e.Policy)
	if e.Cause != nil {
		b.WriteString(strings.TrimPrefix(e.Cause.Error(), "tiercache: "))
		b.WriteString("; ")
	}
	e.L1.describe(&b, L1)
	b.WriteString("; ")
	e.L2.describe(&b, L2)
	b.WriteString("; ")
	b.WriteString(e.state())
	return b.String()
}

func (r Result) describe(b *strings.Builder, id ID) {
	if r.Err != nil {
		b.WriteString(r.Err.Error())
	} else {
		b.WriteString(id.String() + " " + r.Outcome.String())
	}
	if r.CompensationErr != nil {
		b.WriteString(", " + r.CompensationErr.Error())
	}
}

func (e *WriteError) state() string {
	switch {
	case !e.Verdict.Consistent:
		return e.Verdict.describe(e.Kind)
	case e.L1.Outcome == Applied && e.L2.Outcome == Applied:
		return "both tiers were written"
	case e.NotApplied():
		return "neither tier was changed"
	default:
		return "neither tier was written"
	}
}

// describe says how the tiers may differ.
func (v Verdict) describe(kind Kind) string {
	switch {
	case v.Resolved:
		return "the copy in l1 was dropped, so the tiers do not differ"
	case v.Stale == 0:
		return "the tiers may differ"
	case kind == Delete:
		return "the tiers may differ: " + v.Stale.String() + " may still have the entry"
	default:
		return "the tiers may differ: " + v.Stale.String() + " may be stale"
	}
}

// Unwrap returns all errors of the operation: the cause, the tiers' errors, and
// those of compensation.
func (e *WriteError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Cause, e.L1.Err, e.L2.Err, e.L1.CompensationErr, e.L2.CompensationErr} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Is reports whether target is [ErrInconsistent] and the tiers may differ.
func (e *WriteError) Is(target error) bool {
	return target == ErrInconsistent && !e.Verdict.Agreed()
}

// NotApplied reports whether the write certainly changed no tier. A cache that is a
// tier of another one reports its outcome by this.
func (e *WriteError) NotApplied() bool { return e.L1.untouched() && e.L2.untouched() }

// ErrorType returns the value of the attribute error.type: that of the cause, of the
// stale tier's error, or of the first error there is.
func (e *WriteError) ErrorType() string {
	err := e.Cause
	if err == nil {
		err = e.Verdict.cause(e.L1, e.L2)
	}
	if err == nil {
		return errtype.Other
	}
	return errtype.Of(err)
}

package writepolicy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tiercache/tiercache/internal/errtype"
)

// ErrInconsistent is matched, by errors.Is, by an [*Error] after which the tiers
// may differ: the difference was not ruled out, nor resolved by compensation.
var ErrInconsistent = errors.New("tiercache: the tiers may differ")

// TierError is an error of one call of a [Tier].
type TierError struct {
	Tier   TierID
	Call   string  // "set", "delete", "invalidate"; also "stage" and "get"
	Result Outcome // Failed, Unknown or Skipped
	Err    error   // what the backend returned

	// Text replaces the text of Err where that would give away the key.
	Text string
}

// Error names the tier, the call, its outcome and the backend's error.
func (e *TierError) Error() string {
	text := e.Text
	if text == "" {
		text = e.Err.Error()
	}
	return e.Tier.String() + " " + e.Call + " " + e.Result.String() + ": " + text
}

// Unwrap returns the backend's error.
func (e *TierError) Unwrap() error { return e.Err }

// Outcome returns the outcome of the call, for [OutcomeOf].
func (e *TierError) Outcome() Outcome { return e.Result }

// ErrorType returns the value of the attribute error.type: an identifier such as
// "timeout" or "connection_refused". The backend's error can name itself by a
// method ErrorType() string; docs/error-types.md has the list and the rules.
func (e *TierError) ErrorType() string { return errtype.Of(e.Err) }

// TierResult is what became of an operation in one tier.
type TierResult struct {
	// Outcome is that of the write; under [WriteAround], that of dropping the
	// copy in L1.
	Outcome Outcome
	// Err is the tier's error when the outcome is Failed or Unknown.
	Err error
	// Drop is the outcome of dropping the copy in compensation, Skipped when
	// that was not attempted, and DropErr its error.
	Drop    Outcome
	DropErr error
}

// Error is the error of an operation. Its text contains neither the key nor the
// value. It must not be modified.
type Error struct {
	Kind   Kind
	Policy string
	L1, L2 TierResult

	// Cause is why the operation did not come to the tiers at all (a value that
	// cannot be encoded, a context that ended while the operation waited for the
	// key's turn), or an error of the policy's own. It is nil when the errors of
	// the tiers say it all.
	Cause error
}

// Verdict says whether the tiers may differ.
func (e *Error) Verdict() Verdict {
	return Assess(e.L1.Outcome, e.L2.Outcome, e.L1.Drop, e.L2.Drop)
}

// Error says what became of each tier, why, and what state was left behind.
func (e *Error) Error() string {
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

func (r TierResult) describe(b *strings.Builder, tier TierID) {
	if r.Err != nil {
		b.WriteString(r.Err.Error())
	} else {
		b.WriteString(tier.String() + " " + r.Outcome.String())
	}
	if r.DropErr != nil {
		b.WriteString(", " + r.DropErr.Error())
	}
}

func (e *Error) state() string {
	v := e.Verdict()
	switch {
	case v.Consistent && e.L1.Outcome == Applied:
		return "both tiers were written"
	case v.Consistent && e.NotApplied():
		return "neither tier was changed"
	case v.Consistent:
		return "neither tier was written"
	case v.Resolved:
		return "the copy in l1 was dropped, so the tiers do not differ"
	case v.Stale == 0:
		return "the tiers may differ"
	case e.Kind == Delete:
		return "the tiers may differ: " + v.Stale.String() + " may still have the entry"
	default:
		return "the tiers may differ: " + v.Stale.String() + " may be stale"
	}
}

// Unwrap returns all errors that the operation met: the cause, the tiers'
// errors, and those of compensation.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Cause, e.L1.Err, e.L2.Err, e.L1.DropErr, e.L2.DropErr} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Is reports whether target is [ErrInconsistent] and the tiers may differ.
func (e *Error) Is(target error) bool {
	if target != ErrInconsistent {
		return false
	}
	return !e.Verdict().Agreed()
}

// NotApplied reports whether certainly no tier was changed, so that a cache that
// is a tier of another one says what became of a write.
func (e *Error) NotApplied() bool { return e.L1.untouched() && e.L2.untouched() }

func (r TierResult) untouched() bool { return !r.Outcome.possible() && !r.Drop.possible() }

// ErrorType returns the value of the attribute error.type: that of the first of
// the errors that Unwrap returns.
func (e *Error) ErrorType() string {
	for _, err := range e.Unwrap() {
		return errtype.Of(err)
	}
	return "_OTHER"
}

package backends

import "github.com/tiercache/tiercache/tier"

// InvalidWriteError is the error of a [Write] that no store can make. Nothing was
// written.
type InvalidWriteError struct{ Reason string }

// Error says why the write is invalid.
func (e *InvalidWriteError) Error() string { return "backends: invalid write: " + e.Reason }

// NotApplied returns true; see [CertainlyNotApplied].
func (e *InvalidWriteError) NotApplied() bool { return true }

// Healthy returns true; see [FromHealthyStore].
func (e *InvalidWriteError) Healthy() bool { return true }

// Check returns the error of a write that no store can make, for implementations of
// [Versioned]: [ErrEmptyKey] or an [*InvalidWriteError]. W may be nil, which is invalid.
func (w *Write[V]) Check() error {
	switch {
	case w == nil:
		return &InvalidWriteError{Reason: "it is nil: pass one"}
	case w.Key == "":
		return ErrEmptyKey
	case w.Kind != tier.Set && w.Kind != tier.Delete:
		return &InvalidWriteError{Reason: "the kind must be tier.Set or tier.Delete"}
	case !w.If.Valid():
		return &InvalidWriteError{Reason: "the condition lacks a version that it needs, or has one that it must not have"}
	case w.Keep < 0:
		return &InvalidWriteError{Reason: "Keep is negative: use 0 for DefaultKeep"}
	case len(w.Note) > MaxNoteSize:
		return &InvalidWriteError{Reason: "the note is longer than MaxNoteSize"}
	default:
		return nil
	}
}

// Unsupported returns an error that wraps [ErrUnsupported], is certainly not applied,
// and names the ability that is missing.
func Unsupported(ability string) error {
	return NotApplied(Healthy(&unsupportedError{ability: ability}))
}

type unsupportedError struct{ ability string }

func (e *unsupportedError) Error() string { return ErrUnsupported.Error() + ": " + e.ability }
func (e *unsupportedError) Unwrap() error { return ErrUnsupported }

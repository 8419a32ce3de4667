package backends

import "errors"

// ErrNilBackend is returned by constructors that were given a nil backend.
var ErrNilBackend = errors.New("backends: the backend is nil: pass the store of the tier")

// ErrNilCodec is returned by [WithCodec] when it was given a nil codec.
var ErrNilCodec = errors.New("backends: the codec is nil: pass JSON, Bytes, String or a Codec of your own")

// ErrNotFound is returned by loaders, possibly wrapped, when the value that they were
// asked for does not exist.
var ErrNotFound = errors.New("backends: not found")

// ErrUnsupported is wrapped by the errors of calls that a store cannot serve because it
// lacks the ability; see [Abilities]. Nothing was written.
var ErrUnsupported = errors.New("backends: the store cannot do this")

// NotApplied returns an error that wraps err and says that the write that
// failed with it was certainly not applied. It returns nil when err is nil.
//
// Backends should use it where they refuse a write themselves (too long a key,
// a full store), and where the failure is known to have come before the write
// was sent. They must not use it for a timeout, a cancellation or a broken
// connection after the write was sent: the store may have applied it.
func NotApplied(err error) error {
	if err == nil {
		return nil
	}
	return &notAppliedError{err: err}
}

type notAppliedError struct{ err error }

func (e *notAppliedError) Error() string    { return e.err.Error() }
func (e *notAppliedError) Unwrap() error    { return e.err }
func (e *notAppliedError) NotApplied() bool { return true }

// CertainlyNotApplied reports whether err, an error of Set or Delete, says that the
// write was certainly not applied. It is the default of a cache unless it is given
// another classifier.
//
// It is true for an error with a method NotApplied() bool that returns true, such as one of
// [NotApplied]. The outermost error with the method decides. Of joined errors, all must be certain.
// It is false for nil and for any other error, even a refused connection, because a client that
// retries may have lost the answer to an earlier attempt.
func CertainlyNotApplied(err error) bool {
	return ask(err, func(err error) (answer, knows bool) {
		e, knows := err.(interface{ NotApplied() bool }) //nolint:errorlint // ask walks the tree
		return knows && e.NotApplied(), knows
	})
}

package backends

// Healthy returns an error that wraps err and says that the store is healthy: it
// answered, and the error is about this entry or this call alone. It returns nil
// when err is nil. See [FromHealthyStore].
func Healthy(err error) error {
	if err == nil {
		return nil
	}
	return &healthyError{err: err}
}

type healthyError struct{ err error }

func (e *healthyError) Error() string { return e.err.Error() }
func (e *healthyError) Unwrap() error { return e.err }
func (e *healthyError) Healthy() bool { return true }

// FromHealthyStore reports whether err, an error of any method of a [Backend],
// says that the store is healthy. Such an error is no outage: a circuit breaker
// must not count it as a failure, and the same read would fail again.
//
// It is true for an error with a method Healthy() bool that returns true, such as one of [Healthy].
// The outermost error with the method decides. Of joined errors, all must be healthy. It is false
// for nil and for any other error.
//
// Implementations of [Backend] should give the method to the errors with which a store refuses one
// call and goes on serving others: bytes that cannot be decoded, a value of another type, a
// permission that the user lacks, a write that a full or read-only store refuses. They must not
// give it to errors with which a store refuses all calls, because it is starting, is failing over
// or has too many clients, nor to timeouts and lost connections.
//
// [EncodeError], [DecodeError], [TooLargeError], [DamagedError] and [ErrEmptyKey]
// have it.
func FromHealthyStore(err error) bool {
	return ask(err, func(err error) (answer, knows bool) {
		e, knows := err.(interface{ Healthy() bool }) //nolint:errorlint // ask walks the tree
		return knows && e.Healthy(), knows
	})
}

// ask walks the tree of err and returns the answer of the outermost error that
// knows one. Of errors that were joined, all must answer yes. It returns false
// when none knows.
func ask(err error, question func(err error) (answer, knows bool)) bool {
	for err != nil {
		if answer, knows := question(err); knows {
			return answer
		}
		switch e := err.(type) { //nolint:errorlint // it walks the tree itself
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			return askAll(e.Unwrap(), question)
		default:
			return false
		}
	}
	return false
}

func askAll(errs []error, question func(err error) (answer, knows bool)) bool {
	for _, err := range errs {
		if !ask(err, question) {
			return false
		}
	}
	return len(errs) > 0
}

package guard

import (
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// readable returns the text of err, and err. An error with a method that panics, as
// that of a nil pointer does, would panic again wherever it is read, unwrapped or
// classified, so another error takes its place. So it is with an error that wraps
// itself: errors.Is would never end.
func readable(err error) (text string, same error) {
	text, problem := read(err)
	if problem == nil {
		return text, err
	}
	if p, ok := problem.(*backends.PanicError); ok { //nolint:errorlint // it comes from Catch
		if _, again := read(p); again != nil { // the value of the panic is no better
			p.Value = fmt.Sprintf("%T", p.Value)
		}
	}
	same = fmt.Errorf("an error of type %T cannot be read: %w", err, problem)
	return same.Error(), same
}

// read calls all methods of err and of the errors that it wraps.
func read(err error) (text string, problem error) {
	defer Catch(&problem)
	rest := maxErrors
	if !probe(err, &rest) {
		return "", errTooMany
	}
	return err.Error(), nil
}

// maxErrors bounds the tree of an error, both in depth and in width: a list of errors
// that wrap each other can have more branches than there is time for.
const maxErrors = 1000

var errTooMany = errors.New("it wraps too many errors, or itself")

// probe calls the methods that package errors and this module call, on all errors in
// err's tree. It reports false when there are more of them than rest. Err may be nil.
func probe(err error, rest *int) bool {
	if err == nil {
		return true
	}
	*rest--
	if *rest < 0 {
		return false
	}
	probeMethods(err)
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		return probe(e.Unwrap(), rest)
	case interface{ Unwrap() []error }:
		return probeAll(e.Unwrap(), rest)
	default:
		return true
	}
}

func probeAll(errs []error, rest *int) bool {
	for _, err := range errs {
		if !probe(err, rest) {
			return false
		}
	}
	return true
}

func probeMethods(err error) {
	if e, ok := err.(interface{ Is(target error) bool }); ok {
		e.Is(errProbe)
	}
	if e, ok := err.(interface{ As(target any) bool }); ok {
		var target *probeError
		e.As(&target)
	}
	if e, ok := err.(interface{ ErrorType() string }); ok {
		e.ErrorType()
	}
	if e, ok := err.(interface{ NotApplied() bool }); ok {
		e.NotApplied()
	}
	if e, ok := err.(interface{ Outcome() tier.Outcome }); ok {
		e.Outcome()
	}
}

// probeError is an error of nobody.
type probeError struct{}

func (*probeError) Error() string { return "probe" }

var errProbe error = new(probeError)

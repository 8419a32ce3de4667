package errtype_test

import (
	"context"
	"errors"
)

// named is an error that names itself.
type named string

func (named) Error() string       { return "named" }
func (n named) ErrorType() string { return string(n) }

// MyError is an error with a type that tells something.
type MyError struct{ err error }

func (*MyError) Error() string   { return "mine" }
func (e *MyError) Unwrap() error { return e.err }

// Generic is an error whose type has arguments.
type Generic[T any] struct{ _ T }

func (Generic[T]) Error() string { return "generic" }

// Many wraps several errors.
type Many []error

func (Many) Error() string     { return "many" }
func (m Many) Unwrap() []error { return m }

// wrapper is a type of which nobody outside can know.
type wrapper struct{ err error }

func (wrapper) Error() string   { return "wrapper" }
func (w wrapper) Unwrap() error { return w.err }

type leaf struct{}

func (leaf) Error() string { return "leaf" }

type leafWithAnOverlongNameThatNobodyWouldWantToSeeInAMetricOfTheService struct{ leaf }

type größe struct{ leaf }

// late is a timeout, and may be more.
type late struct{ err error }

func (late) Error() string   { return "late" }
func (late) Timeout() bool   { return true }
func (l late) Unwrap() error { return l.err }

// alias says that it is another error.
type alias struct{ of error }

func (alias) Error() string          { return "alias" }
func (a alias) Is(target error) bool { return target == a.of } //nolint:errorlint // this is Is

// loop wraps itself, by one of the two methods.
type loop struct{}

func (l *loop) Error() string { return "loop" }
func (l *loop) Unwrap() error { return l }

type loops struct{}

func (l *loops) Error() string   { return "loops" }
func (l *loops) Unwrap() []error { return []error{l, l, l} }

// panics has methods of which each panics.
type panics struct{ text string }

func (p *panics) Error() string     { return p.text }
func (p *panics) ErrorType() string { return p.text }

type panicsLater struct{}

func (panicsLater) Error() string   { panic("Error") }
func (panicsLater) Unwrap() error   { panic("Unwrap") }
func (panicsLater) Is(error) bool   { panic("Is") }
func (panicsLater) Timeout() bool   { panic("Timeout") }
func (panicsLater) Temporary() bool { panic("Temporary") }

type panicsInMany struct{}

func (panicsInMany) Error() string   { panic("Error") }
func (panicsInMany) Unwrap() []error { panic(errors.New("Unwrap")) }

// uncomparable has a type whose values cannot be compared.
type uncomparable []string

func (uncomparable) Error() string { return "uncomparable" }

func deep(err error, n int) error {
	for range n {
		err = wrapper{err}
	}
	return err
}

// lookAlike has texts that other errors have.
var lookAlike = errors.Join(errors.New(context.Canceled.Error()), errors.New("EOF"))

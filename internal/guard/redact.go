package guard

import (
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/internal/redact"
	"github.com/tiercache/tiercache/tier"
)

// NewError returns the error of a tier's call. Its text does not quote the key.
func NewError(id tier.ID, call, key string, outcome tier.Outcome, err error) *tier.Error {
	text, err := readable(err)
	e := &tier.Error{Tier: id, Call: call, Result: outcome, Err: err}
	if r := redact.Text(err, key); r != text {
		e.Text = r
	}
	return e
}

// WithoutKey returns err, or an error that wraps it if its text quotes the key. It is
// for errors of strangers: a key may look like a part of the library's own texts.
func WithoutKey(err error, key string) error {
	_, err = readable(err)
	return redact.Error(err, key)
}

// Readable returns the text of err without the key, and err, or an error in its place
// if its methods panic.
func Readable(err error, key string) (text string, readableErr error) {
	_, err = readable(err)
	return redact.Text(err, key), err
}

// readable returns the text of err, and err. An error with a method that panics, as that of
// a nil pointer does, would panic again wherever it is read or unwrapped, so the
// panic takes its place.
func readable(err error) (text string, same error) {
	defer func() {
		if v := recover(); v != nil {
			same = fmt.Errorf("an error of type %T cannot be read: %w", err, panicError(v))
			text = same.Error()
		}
	}()
	walk(err, 0)
	return err.Error(), err
}

// maxDepth bounds the tree of an error: one that unwraps to itself has no end.
const maxDepth = 100

// walk calls the methods of all errors in err's tree that errors.Is may call.
func walk(err error, depth int) {
	if depth > maxDepth {
		panic(errors.New("it wraps too many errors"))
	}
	if e, ok := err.(interface{ Is(target error) bool }); ok {
		e.Is(errProbe)
	}
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		if next := e.Unwrap(); next != nil {
			walk(next, depth+1)
		}
	case interface{ Unwrap() []error }:
		for _, next := range e.Unwrap() {
			if next != nil {
				walk(next, depth+1)
			}
		}
	}
}

// errProbe is no error of anybody.
var errProbe = errors.New("probe")

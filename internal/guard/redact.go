package guard

import (
	"github.com/tiercache/tiercache/internal/redact"
	"github.com/tiercache/tiercache/tier"
)

// NewError returns the error of a tier's call. Its text does not quote the key.
func NewError(id tier.ID, call, key string, outcome tier.Outcome, err error) *tier.Error {
	text, err := readable(err)
	return newError(id, call, key, outcome, text, err)
}

func newError(id tier.ID, call, key string, outcome tier.Outcome, text string, err error) *tier.Error {
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

// RedactText returns the text without the key.
func RedactText(text, key string) string { return redact.String(text, key) }

package guard

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tiercache/tiercache/tier"
)

// NewError returns the error of a tier's call. Its text does not quote the key.
func NewError(id tier.ID, call, key string, outcome tier.Outcome, err error) *tier.Error {
	text, err := readable(err)
	return newError(id, call, key, outcome, text, err)
}

func newError(id tier.ID, call, key string, outcome tier.Outcome, text string, err error) *tier.Error {
	e := &tier.Error{Tier: id, Call: call, Result: outcome, Err: err}
	if r := redact(text, key); r != text {
		e.Text = r
	}
	return e
}

// WithoutKey returns err, or an error that wraps it if its text quotes the key.
func WithoutKey(err error, key string) error {
	text, err := readable(err)
	if r := redact(text, key); r != text {
		return &redactedError{text: r, err: err}
	}
	return err
}

// Readable returns the text of err without the key, and err, or an error in its place
// if its methods panic.
func Readable(err error, key string) (text string, readableErr error) {
	text, err = readable(err)
	return redact(text, key), err
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

const (
	redacted = "[key]"
	longKey  = 6 // bytes
)

// redact takes the key out of a text that a backend has written, as it is or in
// the form of a Go string literal. A short key is replaced only where it stands
// alone, or it would be found in the middle of words.
func redact(text, key string) string {
	if key == "" {
		return text
	}
	quoted := strconv.Quote(key)
	for _, form := range []string{key, quoted[1 : len(quoted)-1]} {
		if len(form) >= longKey {
			text = strings.ReplaceAll(text, form, redacted)
		} else {
			text = redactWord(text, form)
		}
	}
	return text
}

func redactWord(text, word string) string {
	var b strings.Builder
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return b.String() + text[from:]
		}
		start, end := from+i, from+i+len(word)
		b.WriteString(text[from:start])
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if inWord(before) || inWord(after) {
			b.WriteString(word)
		} else {
			b.WriteString(redacted)
		}
		from = end
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

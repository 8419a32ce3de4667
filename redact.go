package tiercache

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tiercache/tiercache/writepolicy"
)

// tierError wraps an error of a tier. Its text does not quote the key.
func tierError(id writepolicy.TierID, call, key string, outcome writepolicy.Outcome, err error) error {
	e := &writepolicy.TierError{Tier: id, Call: call, Result: outcome, Err: err}
	text := err.Error()
	if r := redact(text, key); r != text {
		e.Text = r
	}
	return e
}

// withoutKey wraps an error whose text quotes the key in one whose text does not.
func withoutKey(err error, key string) error {
	text := err.Error()
	if r := redact(text, key); r != text {
		return &redactedError{text: r, err: err}
	}
	return err
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
// the form of a Go string literal. A short key is taken for one only where it
// stands alone, or it would be found in the middle of words.
func redact(text, key string) string {
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

package engine

import (
	"errors"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// redaction takes all keys of a batch out of the errors of a call that was made for all of
// them: the error of one key may quote another.
type redaction struct {
	keys  []string
	texts map[string]string // by the text before, since the keys often share an error
}

func newRedaction(keys []string) *redaction { return &redaction{keys: keys} }

// clean returns err, whose text quotes none of the keys. Err is nil or a [*tier.Error],
// whose text does not quote its own key.
func (r *redaction) clean(err error) error {
	e, ok := err.(*tier.Error) //nolint:errorlint // it is the one that was made for this call
	if !ok || errors.Is(e.Err, tier.ErrSuperseded) {
		return err
	}
	text := e.Text
	if text == "" {
		text = e.Err.Error()
	}
	if clean := r.cleanText(text); clean != text {
		e.Text = clean
	}
	return e
}

// cleanText returns the text without the keys.
func (r *redaction) cleanText(text string) string {
	clean, known := r.texts[text]
	if known {
		return clean
	}
	clean = text
	for _, key := range r.keys {
		clean = guard.RedactText(clean, key)
	}
	if r.texts == nil {
		r.texts = make(map[string]string)
	}
	r.texts[text] = clean
	return clean
}

func keysOfCalls[V any](calls []*call[V]) []string {
	keys := make([]string, len(calls))
	for i, c := range calls {
		keys[i] = c.key
	}
	return keys
}

package backendtest

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

const (
	// secretKey begins and ends with letters that are found nowhere else, also when it
	// is cut. The characters between them must be escaped.
	secretKey   = keyHead + "\n\"\xff%é" + keyTail
	keyHead     = "zqxj"
	keyTail     = "wvkq"
	secretIndex = 987654

	// minSecret is how long a value must be to be taken for quoted.
	minSecret = 4 // bytes
)

func testErrors[V any](c check[V]) {
	c.callAll(c.t.Context(), secretKey)
	for _, ending := range endings {
		ctx, cancel := ending.context(c.t.Context())
		c.callAll(ctx, secretKey)
		cancel()
	}
	for _, size := range []int{300, 70_000, 1 << 20} { // which a store may refuse
		c.callAll(c.t.Context(), secretKey+strings.Repeat("k", size))
	}
	if c.breakStore != nil {
		c.breakStore()
		c.callAll(c.t.Context(), secretKey)
	}
}

// callAll makes all calls and looks at their errors.
func (c check[V]) callAll(ctx context.Context, key string) {
	for _, call := range c.everyCall() {
		ended, err := c.inTime(ctx, func() error { return call.make(ctx, key, secretIndex) })
		if !ended || err == nil {
			continue // that a call does not end is for another test to say
		}
		text := err.Error()
		if quotes(text, keyHead) || quotes(text, keyTail) {
			c.t.Errorf("%s: the error quotes the key: %s", call.name, cut(text))
		}
		if secret := secretOf(c.Value(secretIndex)); secret != "" && quotes(text, secret) {
			c.t.Errorf("%s: the error quotes the value: %s", call.name, cut(text))
		}
	}
}

// secretOf returns the secret of a value that was made with secretIndex.
func secretOf(v any) string {
	text := fmt.Sprintf("%+v", v)
	if r := reflect.ValueOf(v); r.IsValid() && isText(r.Type()) {
		text = textOf(r)
	}
	switch digits := strconv.Itoa(secretIndex); {
	case strings.Contains(text, digits):
		return digits
	case len(text) >= minSecret:
		return text[:min(len(text), 2*maxShown)]
	default:
		return ""
	}
}

func cut(text string) string {
	if len(text) > maxShown {
		text = text[:maxShown] + "..."
	}
	return strconv.Quote(text)
}

package backendtest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

// quoted is how a flawed backend quotes a key or a value in its errors.
var quoted = map[string]func(s string) string{
	"as it is":         func(s string) string { return s },
	"quoted":           func(s string) string { return fmt.Sprintf("%q", s) },
	"quoted for ASCII": func(s string) string { return fmt.Sprintf("%+q", s) },
	"in capitals":      func(s string) string { return fmt.Sprintf("%X", s) },
	"in hex":           func(s string) string { return fmt.Sprintf("%x", s) },
	"in spaced hex":    func(s string) string { return fmt.Sprintf("% x", s) },
	"as bytes":         func(s string) string { return fmt.Sprintf("%d", []byte(s)) },
	"as Go bytes":      func(s string) string { return fmt.Sprintf("%#v", []byte(s)) },
	"in base64":        func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"in later base64":  func(s string) string { return base64.URLEncoding.EncodeToString([]byte("v:" + s)) },
	"in a URL":         url.PathEscape,
	"in a query":       url.QueryEscape,
	"cut":              func(s string) string { return s[:min(len(s), 12)] + "..." },
	"in JSON": func(s string) string {
		data, _ := json.Marshal(map[string]string{"k": s})
		return string(data)
	},
}

func errorFlaws() map[string]flaw {
	all := make(map[string]flaw)
	found := []string{"errors-quote-no-key-and-no-value"}
	for name, quote := range quoted {
		all["a key "+name+", when the context has ended"] = flaw{
			backend: before(func(ctx context.Context, _, key string, _ entry) error {
				if ctx.Err() != nil {
					return fmt.Errorf("call of %s: %w", quote(key), ctx.Err())
				}
				return nil
			}),
			found: found,
		}
		if name == "cut" {
			continue
		}
		all["a value "+name+", when the context has ended"] = flaw{
			backend: before(func(ctx context.Context, call, _ string, e entry) error {
				if ctx.Err() != nil && call == "set" {
					return fmt.Errorf("set of %s: %w", quote(e.Value), ctx.Err())
				}
				return nil
			}),
			found: found,
		}
	}
	all["a key that is too long"] = flaw{
		backend: before(func(_ context.Context, call, key string, _ entry) error {
			if len(key) > 250 && call == "set" {
				return backends.NotApplied(fmt.Errorf("the key is too long: %q", key))
			}
			return nil
		}),
		found: found,
	}
	all["the end of a key"] = flaw{
		backend: before(func(ctx context.Context, _, key string, _ entry) error {
			if ctx.Err() != nil {
				return fmt.Errorf("call of ...%s: %w", key[max(0, len(key)-6):], ctx.Err())
			}
			return nil
		}),
		found: found,
	}
	var closed atomic.Bool
	all["a store that fails"] = flaw{
		backend: func() backends.Backend[string] {
			closed.Store(false)
			return before(func(_ context.Context, call, key string, _ entry) error {
				if closed.Load() {
					return fmt.Errorf("%s %s: closed", call, key)
				}
				return nil
			})()
		},
		breakStore: func(*testing.T, backends.Backend[string]) { closed.Store(true) },
		found:      found,
	}
	return all
}

// Errors that quote nothing pass, also those of a store that fails.
func TestSuite_Break(t *testing.T) {
	t.Parallel()
	broken := false
	s := suite(before(func(ctx context.Context, _, key string, _ entry) error {
		if broken || len(key) > 250 || ctx.Err() != nil {
			return backends.NotApplied(errors.New("a call of the store failed at 10.0.0.98:7654 after 1.5ms"))
		}
		return nil
	}))
	s.Break = func(*testing.T, backends.Backend[string]) { broken = true }
	assert.Empty(t, s.Failures(t)["errors-quote-no-key-and-no-value"])
	assert.True(t, broken)
}

package tiercache_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
)

func TestErrorsDoNotQuoteTheKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, text, want string }{
		{"user:42", "no such key: user:42", "no such key: [key]"},
		{"user:42", "prefixuser:42suffix twice user:42", "prefix[key]suffix twice [key]"},
		{"a\x00b\xff", `bad key "a\x00b\xff"`, `bad key "[key]"`},
		{"k", "backend k refused key (k)", "backend [key] refused key ([key])"},
		{"k", "k", "[key]"},
		{"42", "line 142, key 42", "line 142, key [key]"},
		{"ю", "юла ю", "юла [key]"},
		{"user:42", "connection refused", "connection refused"},
	} {
		f := newFixture(t)
		cause := errors.New(test.text)
		f.L1.Next(backendtest.Set, backendtest.Lose(cause))
		err := f.Set(t.Context(), test.key, "v", 0)
		require.ErrorIs(t, err, cause)
		text := err.Error()
		_, text, _ = strings.Cut(text, "l1 set unknown: ")
		text, _, _ = strings.Cut(text, ";")
		assert.Equal(t, test.want, text)
	}
}

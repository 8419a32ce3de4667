package guard_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
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
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			cause := errors.New(test.text)

			err := error(guard.NewError(tier.L1, "set", test.key, tier.Unknown, cause))
			require.ErrorIs(t, err, cause)
			text, ok := strings.CutPrefix(err.Error(), "l1 set unknown: ")
			assert.True(t, ok)
			assert.Equal(t, test.want, text)

			err = guard.WithoutKey(cause, test.key)
			require.ErrorIs(t, err, cause)
			assert.Equal(t, test.want, err.Error())

			text, err = guard.Readable(cause, test.key)
			assert.Equal(t, test.want, text)
			assert.Equal(t, cause, err)
		})
	}
}

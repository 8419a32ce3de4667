package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/redact"
)

type textError struct{ text string }

func (e *textError) Error() string { return e.text }

type selfNamed struct{ name, text string }

func (e selfNamed) Error() string     { return e.text }
func (e selfNamed) ErrorType() string { return e.name }

type generic[T any] struct{ value T }

func (g *generic[T]) Error() string { panic(g.value) }

func TestText(t *testing.T) {
	t.Parallel()
	const key = "user:4711:profile"
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"nil":             {nil, ""},
		"no key":          {errors.New("refused"), "refused"},
		"the key":         {errors.New("no " + key), "no [key]"},
		"a typed nil":     {(*textError)(nil), "error of type *redact_test.textError whose text cannot be had"},
		"a generic panic": {&generic[map[string]string]{}, "error of type *redact_test.generic whose text cannot be had"},
		"withheld": {
			&fs.PathError{Op: "open", Path: "/x/4711:pro/file", Err: fs.ErrPermission},
			"error of type permission_denied (text withheld: it may quote the key)",
		},
		"withheld, and nameless": {
			errors.New("no 4711:prof at all"), "error of type *errors.errorString (text withheld: it may quote the key)",
		},
		"withheld, and named by the key": {
			selfNamed{"4711/profile", "no 4711:prof at all"},
			"error of type 4711/profile (text withheld: it may quote the key)",
		},
		"withheld, and named by more of the key": {
			selfNamed{"x4711", "no 4711:prof at all"}, "error of type x4711 (text withheld: it may quote the key)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.NotPanics(t, func() { assert.Equal(t, tc.want, redact.Text(tc.err, key)) })
		})
	}
}

// A name that the error gives itself is no way around the redaction.
func TestText_NameQuotesTheKey(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"account-4711", "no_account-4711", "account-47"} {
		err := selfNamed{name, "no ccount-471 here"}
		assert.Equal(t, "error of type redact_test.selfNamed (text withheld: it may quote the key)", redact.Text(err, "account-4711"))
	}
}

func TestText_IsShort(t *testing.T) {
	t.Parallel()
	text := redact.Text(errors.New(strings.Repeat("ä", 1<<20)), "user:4711")
	assert.Len(t, text, redact.MaxLen-1, "two bytes for each letter, three for the ellipsis")
	assert.True(t, strings.HasSuffix(text, "ä…"))
	key := strings.Repeat("k3y:", 16<<10)
	assert.Equal(t, "no [key]…", redact.String("no "+key+" in here", key))
	assert.Equal(t, withheld, redact.String("refused", key+"x"), "too long a key to search for")
}

func TestError(t *testing.T) {
	t.Parallel()
	const key = "user:4711"
	require.NoError(t, redact.Error(nil, key))

	refused := fmt.Errorf("refused: %w", context.Canceled)
	assert.Same(t, refused, redact.Error(refused, key), "its text needs no change")

	for name, cause := range map[string]error{
		"the key":     fmt.Errorf("no %s: %w", key, &textError{"x"}),
		"a line":      errors.Join(&textError{"x"}, errors.New("y")),
		"a typed nil": (*textError)(nil),
		"a long text": &textError{strings.Repeat("x", 1000)},
	} {
		err := redact.Error(cause, key)
		require.ErrorIs(t, err, cause, name)
		var typed *textError
		require.ErrorAs(t, err, &typed, name)
		assert.EqualError(t, err, redact.Text(cause, key), name)
		assert.NotContains(t, err.Error(), key)
		assert.Same(t, err, redact.Error(err, key), "%s: once is enough", name)
	}
}

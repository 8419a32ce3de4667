package otterbackend_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, opts ...otterbackend.Option) *otterbackend.Backend[string] {
	t.Helper()
	b, err := otterbackend.New[string](opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func mustSet(t *testing.T, b backends.Backend[string], key string, entry backends.Entry[string]) {
	t.Helper()
	require.NoError(t, b.Set(t.Context(), key, entry))
}

func requireHit(t *testing.T, b backends.Backend[string], key string, want backends.Entry[string]) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok, "a miss at %q", key)
	require.Equal(t, want.Value, got.Value)
	require.True(t, want.ExpiresAt.Equal(got.ExpiresAt), "expires at %v, want %v", got.ExpiresAt, want.ExpiresAt)
}

func requireMiss(t *testing.T, b backends.Backend[string], key string) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.False(t, ok, "a hit at %q", key)
	require.Zero(t, got)
}

// hits returns how many of n keys, numbered from 0, are there.
func hits(t *testing.T, b backends.Backend[string], n int) int {
	t.Helper()
	found := 0
	for i := range n {
		if _, ok, err := b.Get(t.Context(), strconv.Itoa(i)); err == nil && ok {
			found++
		}
	}
	return found
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(t *testing.T) backends.Backend[string]{
		"New": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return open(t, otterbackend.WithMaximumSize(100))
		},
		"New, weighed": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return open(t, otterbackend.WithMaximumWeight(100, func(string, string) uint32 { return 1 }))
		},
		"New, versioned": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return open(t, otterbackend.WithMaximumSize(100), otterbackend.WithVersions())
		},
		"FromCache": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return fromCache(t, otterbackend.Expiry[string]())
		},
		"FromCache, without Expiry": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return fromCache(t, nil)
		},
		"closed": func(t *testing.T) backends.Backend[string] {
			t.Helper()
			b := open(t)
			require.NoError(t, b.Close())
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[string]{New: create, Value: strconv.Itoa, Bubble: true}.Run(t)
		})
	}
}

package badgerbackend_test

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string, opts ...badgerbackend.Option) *badgerbackend.Backend {
	t.Helper()
	b, err := badgerbackend.Open(dir, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func openInMemory(t *testing.T, opts ...badgerbackend.Option) *badgerbackend.Backend {
	t.Helper()
	b, err := badgerbackend.OpenInMemory(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// openDB opens a small badger store and a Backend over it.
func openDB(t *testing.T, opts badger.Options) (*badger.DB, *badgerbackend.Backend) {
	t.Helper()
	db, err := badger.Open(opts.WithLogger(nil).WithMemTableSize(8 << 20).WithBlockCacheSize(1 << 20))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db, over(t, db)
}

// over opens a Backend over a store that is open.
func over(t *testing.T, db *badger.DB, opts ...badgerbackend.Option) *badgerbackend.Backend {
	t.Helper()
	b, err := badgerbackend.New(db, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func inMemory() badger.Options { return badger.DefaultOptions("").WithInMemory(true) }

func mustSet(t *testing.T, b *badgerbackend.Backend, key string, entry backends.Entry[[]byte]) {
	t.Helper()
	require.NoError(t, b.Set(t.Context(), key, entry))
}

func requireHit(t *testing.T, b *badgerbackend.Backend, key string, want backends.Entry[[]byte]) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok, "a miss")
	require.Equal(t, want.Value, got.Value)
	require.True(t, want.ExpiresAt.Equal(got.ExpiresAt), "expires at %v, want %v", got.ExpiresAt, want.ExpiresAt)
}

func requireMiss(t *testing.T, b *badgerbackend.Backend, key string) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.False(t, ok, "a hit")
	require.Zero(t, got)
}

func value(s string) backends.Entry[[]byte] { return backends.Entry[[]byte]{Value: []byte(s)} }

// writeFiles makes badger add files of all kinds.
func writeFiles(t *testing.T, b *badgerbackend.Backend) {
	t.Helper()
	for i := range 40 {
		mustSet(t, b, strconv.Itoa(i), backends.Entry[[]byte]{Value: bytes.Repeat([]byte("v"), 100<<10)})
	}
}

var small = tune(func(o *badger.Options) {
	o.MemTableSize, o.ValueThreshold, o.ValueLogFileSize = 1<<20, 128<<10, 1<<20
})

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(t *testing.T) backends.Backend[[]byte]{
		"Open": func(t *testing.T) backends.Backend[[]byte] {
			t.Helper()
			return open(t, t.TempDir())
		},
		"OpenInMemory": func(t *testing.T) backends.Backend[[]byte] {
			t.Helper()
			return openInMemory(t)
		},
		"New": func(t *testing.T) backends.Backend[[]byte] {
			t.Helper()
			// The smallest threshold puts every value into the value log.
			_, b := openDB(t, badger.DefaultOptions(t.TempDir()).WithValueThreshold(1))
			return b
		},
		"with a prefix": func(t *testing.T) backends.Backend[[]byte] {
			t.Helper()
			return openInMemory(t, badgerbackend.WithKeyPrefix("!users:"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[[]byte]{
				New:    create,
				Value:  func(i int) []byte { return []byte(strconv.Itoa(i)) },
				Bubble: true,
			}.Run(t)
		})
	}
}

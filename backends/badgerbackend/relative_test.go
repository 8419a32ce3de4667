package badgerbackend_test

import (
	"os"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// A relative folder is the one that it was when the store was opened, also after
// the process has gone to another folder. Not parallel, because that is a matter
// of the process.
func TestRelativeFolder(t *testing.T) {
	begin, later := t.TempDir(), t.TempDir()
	t.Chdir(begin)
	values := tune(func(o *badger.Options) { o.ValueDir = "values" })
	b, err := badgerbackend.Open("keys", small, values)
	require.NoError(t, err)
	t.Chdir(later)
	writeFiles(t, b)
	require.NoError(t, b.Close())
	left, err := os.ReadDir(later)
	require.NoError(t, err)
	require.Empty(t, left)

	t.Chdir(begin)
	b, err = badgerbackend.Open("keys", small, values)
	require.NoError(t, err)
	_, ok, err := b.Get(t.Context(), "0")
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, b.Close())
}

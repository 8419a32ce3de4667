//go:build unix

package badgerbackend_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// modes returns the modes of a folder, under ".", and of its files.
func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	got := make(map[string]fs.FileMode)
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // badger has removed it
		}
		require.NoError(t, err)
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		require.NoError(t, err)
		got[path] = info.Mode().Perm()
		return nil
	}))
	return got
}

// exposedFolder returns a folder as mkdir makes it under the usual umask.
func exposedFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // the test is about that
	return dir
}

func TestOnlyTheOwnerCanReadTheStore(t *testing.T) {
	t.Parallel()
	root := exposedFolder(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "lost+found"), 0o700))

	older := exposedFolder(t)
	b := open(t, older, small, badgerbackend.WithPermissionCheck(false))
	writeFiles(t, b)
	require.NoError(t, b.Close())
	require.Contains(t, slices.Collect(maps.Values(modes(t, older))), fs.FileMode(0o644), "the umask hides what is tested")

	for name, dir := range map[string]string{
		"new":                       filepath.Join(t.TempDir(), "new", "folder"),
		"there, empty":              exposedFolder(t),
		"the root of a file system": root,
		"of an older store":         older,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, dir, small)
			require.Equal(t, fs.FileMode(0o700), modes(t, dir)["."])
			writeFiles(t, b)
			require.Equal(t, fs.FileMode(0o700), modes(t, dir)["."])
			require.NoError(t, b.Close())
			got := modes(t, dir)
			require.Greater(t, len(got), 4)
			for file, mode := range got {
				if file != "." && file != "lost+found" {
					assert.Equal(t, fs.FileMode(0o600), mode, file)
				}
			}
			requireHit(t, open(t, dir, small), "0", backends.Entry[[]byte]{Value: bytes.Repeat([]byte("v"), 100<<10)})
		})
	}
}

// Files are made private at once, because nothing says how long the store will be open.
func TestFilesThatWereThereAreClosedAtOnce(t *testing.T) {
	t.Parallel()
	dir, valueDir := exposedFolder(t), exposedFolder(t)
	split := tune(func(o *badger.Options) { o.ValueDir = valueDir })
	b := open(t, dir, small, split, badgerbackend.WithPermissionCheck(false))
	writeFiles(t, b)
	require.NoError(t, b.Close())
	before := modes(t, dir)
	require.Equal(t, fs.FileMode(0o755), before["."])

	open(t, dir, small, split)
	after := modes(t, dir)
	for file := range before {
		if mode, there := after[file]; there && file != "." && file != "LOCK" && filepath.Ext(file) != ".mem" {
			assert.Equal(t, fs.FileMode(0o600), mode, file)
		}
	}
	assert.Equal(t, fs.FileMode(0o700), after["."])
	assert.Equal(t, fs.FileMode(0o700), modes(t, valueDir)["."])
}

func TestFoldersWithOtherThings(t *testing.T) {
	t.Parallel()
	dir := exposedFolder(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "report.pdf"), nil, 0o600))
	b, err := badgerbackend.Open(dir)
	require.Nil(t, b)
	require.ErrorIs(t, err, badgerbackend.ErrExposed)
	require.EqualError(t, err, "badgerbackend: others can read the folder: "+strconv.Quote(dir)+
		` has the mode 0755, and it also has "report.pdf" in it: name a folder that does not exist yet, `+
		"run chmod -R go= on this one as its owner, or allow it with WithPermissionCheck(false)")
	assert.Equal(t, fs.FileMode(0o755), modes(t, dir)["."], "it is not changed")
	assert.Len(t, modes(t, dir), 2, "nothing is added")

	require.NoError(t, os.Chmod(dir, 0o700)) //nolint:gosec // a folder
	require.NoError(t, open(t, dir).Close())
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // the test is about that
	require.NoError(t, open(t, dir, badgerbackend.WithPermissionCheck(false)).Close())
	assert.Equal(t, fs.FileMode(0o755), modes(t, dir)["."])
}

// Without a ValueDir of its own, a store is in its one folder, and nowhere else.
func TestNoValueDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir, small, tune(func(o *badger.Options) { o.ValueDir = "" }))
	writeFiles(t, b)
	logs, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	require.NoError(t, err)
	require.NotEmpty(t, logs)
}

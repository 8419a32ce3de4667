package server

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Root returns the root of the repository: the nearest folder, from the current
// one upwards, whose go.mod is the library's own. A test runs in its package's
// folder, so this finds what lies elsewhere in the tree and what is built there.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // a folder above this one
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if bytes.HasPrefix(mod, []byte("module github.com/tiercache/tiercache\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("server: not inside the repository of tiercache")
		}
		dir = parent
	}
}

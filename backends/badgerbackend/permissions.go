package badgerbackend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

const (
	folderMode fs.FileMode = 0o700
	fileMode   fs.FileMode = 0o600

	// others are the bits that give access to anyone but the owner.
	others fs.FileMode = 0o077
)

// Badger creates most of its files for everybody to read, as far as the umask
// permits, and offers no option for it. The umask belongs to the whole process. So
// the folder keeps others out of the files that badger makes while it is open:
// nobody but the owner can enter it. The files that are there when the store is
// opened, and when it is closed, lose the rights of others too, in case the folder
// is copied or opened up later.

// closeFolders takes the rights of others away from the store's folders and
// files. It refuses a folder that has other things in it, because that is not the
// store's alone.
func closeFolders(opts badger.Options) error {
	for _, dir := range folders(opts) {
		if err := closeFolder(dir); err != nil {
			return err
		}
	}
	return nil
}

// folders returns the folder of the keys and that of the value log, which is the
// same unless an option of badger's says otherwise.
func folders(opts badger.Options) []string {
	all := []string{opts.Dir, opts.ValueDir}
	for i, dir := range all {
		// A relative folder is another one when the process goes elsewhere.
		if abs, err := filepath.Abs(dir); err == nil {
			all[i] = abs
		}
	}
	return slices.Compact(all)
}

func closeFolder(dir string) error {
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return openError(dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return openError(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return openError(dir, err)
	}
	if info.Mode().Perm()&others != 0 {
		if i := slices.IndexFunc(entries, func(e fs.DirEntry) bool { return !isBadgers(e.Name()) }); i >= 0 {
			return exposedError(dir, info.Mode(), fmt.Sprintf("it also has %q in it", entries[i].Name()))
		}
		if err := os.Chmod(dir, folderMode); err != nil {
			return exposedError(dir, info.Mode(), "this process may not change that: "+reasonOf(err))
		}
	}
	return closeFiles(dir, entries)
}

// closeFiles takes the rights of others away from badger's files among entries.
func closeFiles(dir string, entries []fs.DirEntry) error {
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return openError(dir, err)
		}
		if !info.Mode().IsRegular() || info.Mode().Perm()&others == 0 || !isBadgers(e.Name()) {
			continue
		}
		if err := os.Chmod(filepath.Join(dir, e.Name()), fileMode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return exposedError(filepath.Join(dir, e.Name()), info.Mode(), "this process may not change that: "+reasonOf(err))
		}
	}
	return nil
}

// closeFilesAgain does the same after the store was closed, for the files that
// were made in the meantime. Nobody can reach those, so an error does not matter.
func closeFilesAgain(opts badger.Options) {
	for _, dir := range folders(opts) {
		if entries, err := os.ReadDir(dir); err == nil {
			_ = closeFiles(dir, entries)
		}
	}
}

// isBadgers reports whether badger has files of that name. The folder that file
// systems have at their root is nobody else's either.
func isBadgers(name string) bool {
	switch name {
	case "MANIFEST", "MANIFEST-REWRITE", "KEYREGISTRY", "REWRITE-KEYREGISTRY", "DISCARD", "LOCK", "lost+found":
		return true
	}
	return slices.Contains([]string{".sst", ".vlog", ".mem"}, strings.ToLower(filepath.Ext(name)))
}

func exposedError(path string, mode fs.FileMode, why string) error {
	return fmt.Errorf("%w: %q has the mode %#o, and %s: name a folder that does not exist yet, run chmod -R go= on "+
		"this one as its owner, or allow it with WithPermissionCheck(false)", ErrExposed, path, mode.Perm(), why)
}

// reasonOf returns the error of the system alone, because the path is in the text
// already.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

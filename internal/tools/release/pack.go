package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	mod "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// overlay is the content of files that differ from those of the tree, by name.
type overlay map[string][]byte

// packReleased writes every published module as it is released into a module proxy of files. It
// returns the files that differ from the tree: each go.mod without replace directives, and each
// go.sum with the checksums of the modules of the tree.
func packReleased(t *tree, version, proxy string) (overlay, error) {
	changed := make(overlay)
	sums := make(map[*module]string)
	for _, m := range t.published() {
		gomod, err := releasedGoMod(m, version)
		if err != nil {
			return nil, err
		}
		gosum, err := t.releasedGoSum(m, sums)
		if err != nil {
			return nil, err
		}
		if len(m.requires) > 0 {
			changed[path.Join(m.dir, "go.mod")] = gomod
			changed[path.Join(m.dir, "go.sum")] = gosum
		}
		if sums[m], err = t.pack(m, version, proxy, changed); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// packAsIs writes every published module as it is in the tree.
func packAsIs(t *tree, version, proxy string) error {
	for _, m := range t.published() {
		if _, err := t.pack(m, version, proxy, nil); err != nil {
			return err
		}
	}
	return nil
}

// releasedGoMod returns a go.mod that requires version of the modules of the tree, and replaces none.
func releasedGoMod(m *module, version string) ([]byte, error) {
	file, err := withVersion(m, version)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Clone(file.Replace) {
		if !slices.ContainsFunc(m.requires, func(required *module) bool { return required.path == r.Old.Path }) {
			return nil, fmt.Errorf("%s replaces %s, but nobody who requires it does", m.path, r.Old.Path)
		}
		if err := file.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	return file.Format()
}

// withVersion returns the module's go.mod with version in its requirements of modules of the tree.
func withVersion(m *module, version string) (*modfile.File, error) {
	before, err := m.file.Format()
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(path.Join(m.dir, "go.mod"), before, nil)
	if err != nil {
		return nil, err
	}
	for _, required := range m.requires {
		if err := file.AddRequire(required.path, version); err != nil {
			return nil, err
		}
	}
	return file, nil
}

func (t *tree) releasedGoSum(m *module, sums map[*module]string) ([]byte, error) {
	before, err := os.ReadFile(t.disk(path.Join(m.dir, "go.sum")))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	lines := strings.SplitAfter(string(before), "\n")
	for _, required := range m.requires {
		lines = append(lines, strings.SplitAfter(sums[required], "\n")...)
	}
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(firstWord(a), firstWord(b)) })
	return []byte(strings.Join(lines, "")), nil
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return word
}

// pack writes the files of a module's version into a module proxy, and returns its lines of
// a go.sum.
func (t *tree) pack(m *module, version, proxy string, changed overlay) (sums string, err error) {
	escaped, err := mod.EscapePath(m.path)
	if err != nil {
		return "", err
	}
	base := filepath.Join(proxy, filepath.FromSlash(escaped), "@v", version)
	if err := os.MkdirAll(filepath.Dir(base), 0o700); err != nil {
		return "", err
	}
	gomod, err := t.content(path.Join(m.dir, "go.mod"), changed)
	if err != nil {
		return "", err
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, mod.Version{Path: m.path, Version: version}, t.filesOf(m, changed)); err != nil {
		return "", fmt.Errorf("%s: %w", m.path, err)
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":%q}`, version, time.Now().UTC().Format(time.RFC3339))
	for name, data := range map[string][]byte{
		base + ".info": []byte(info), base + ".mod": gomod, base + ".zip": archive.Bytes(),
		filepath.Join(filepath.Dir(base), "list"): []byte(version + "\n"),
	} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return "", err
		}
	}
	whole, err := dirhash.HashZip(base+".zip", dirhash.Hash1)
	if err != nil {
		return "", err
	}
	alone, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(gomod)), nil
	})
	return fmt.Sprintf("%[1]s %[2]s %[3]s\n%[1]s %[2]s/go.mod %[4]s\n", m.path, version, whole, alone), err
}

// content returns a file of the tree, or of the overlay.
func (t *tree) content(name string, changed overlay) ([]byte, error) {
	if data, ok := changed[name]; ok {
		return data, nil
	}
	return os.ReadFile(t.disk(name))
}

// filesOf returns the files in a module's folder; zip leaves out those of nested modules. Like the
// go command, it adds the license of the repository to a module that has none.
func (t *tree) filesOf(m *module, changed overlay) (files []zip.File) {
	prefix := strings.TrimPrefix(m.dir+"/", "/")
	names := slices.Clone(t.files)
	for name := range changed {
		names = append(names, name) // a go.sum may be new
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if inside, ok := strings.CutPrefix(name, prefix); ok {
			files = append(files, packed{t, inside, name, changed})
		}
	}
	if m.dir != "" && slices.Contains(t.files, "LICENSE") && !slices.Contains(t.files, prefix+"LICENSE") {
		files = append(files, packed{t, "LICENSE", "LICENSE", nil})
	}
	return files
}

// packed is a file in an archive.
type packed struct {
	tree    *tree
	path    string // in the archive
	name    string // in the tree
	changed overlay
}

func (p packed) Path() string { return p.path }

func (p packed) Lstat() (fs.FileInfo, error) {
	if data, ok := p.changed[p.name]; ok {
		return dataInfo{name: path.Base(p.name), size: int64(len(data))}, nil
	}
	return os.Lstat(p.tree.disk(p.name))
}

func (p packed) Open() (io.ReadCloser, error) {
	data, err := p.tree.content(p.name, p.changed)
	return io.NopCloser(bytes.NewReader(data)), err
}

// dataInfo describes a file of an overlay.
type dataInfo struct {
	name string
	size int64
}

func (i dataInfo) Name() string     { return i.name }
func (i dataInfo) Size() int64      { return i.size }
func (dataInfo) Mode() fs.FileMode  { return 0o644 }
func (dataInfo) ModTime() time.Time { return time.Time{} }
func (dataInfo) IsDir() bool        { return false }
func (dataInfo) Sys() any           { return nil }

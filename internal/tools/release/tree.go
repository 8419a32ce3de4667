package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// tree is the work tree of the repository.
type tree struct {
	root    string
	files   []string  // all that git tracks, or would if it were added; slashes, sorted
	modules []*module // each after those that it requires, the core first
}

// module is a folder with a go.mod.
type module struct {
	path     string // as other modules import it
	dir      string // below the root, with slashes; "" for the core
	file     *modfile.File
	requires []*module // of the tree
}

// readTree reads the modules of the repository at root.
func readTree(ctx context.Context, root string) (*tree, error) {
	t := &tree{root: root}
	list, err := t.git(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(list, "\x00") {
		if info, err := os.Lstat(t.disk(name)); name != "" && err == nil && info.Mode().IsRegular() {
			t.files = append(t.files, name)
		}
	}
	slices.Sort(t.files)
	t.files = slices.Compact(t.files)
	found, err := t.findModules()
	if err != nil {
		return nil, err
	}
	t.modules, err = inOrder(found)
	return t, err
}

// disk returns the path of a file of the tree.
func (t *tree) disk(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// core returns the module in the root of the repository.
func (t *tree) core() *module { return t.modules[0] }

// published returns the modules that users can require.
func (t *tree) published() []*module {
	return slices.DeleteFunc(slices.Clone(t.modules), func(m *module) bool { return !m.published() })
}

func (m *module) published() bool {
	folders := strings.Split(m.dir, "/")
	return folders[0] != "examples" && !slices.Contains(folders, "internal")
}

// tag returns the name of the module's tag of a version, as the go command expects it.
func (m *module) tag(version string) string { return path.Join(m.dir, version) }

func (t *tree) findModules() ([]*module, error) {
	var found []*module
	for _, name := range t.files {
		if path.Base(name) != "go.mod" || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		data, err := os.ReadFile(t.disk(name))
		if err != nil {
			return nil, err
		}
		file, err := modfile.Parse(name, data, nil)
		if err != nil {
			return nil, err
		}
		dir := strings.TrimSuffix(strings.TrimSuffix(name, "go.mod"), "/")
		found = append(found, &module{path: file.Module.Mod.Path, dir: dir, file: file})
	}
	slices.SortFunc(found, func(a, b *module) int { return strings.Compare(a.dir, b.dir) })
	if len(found) == 0 || found[0].dir != "" {
		return nil, errors.New("there is no go.mod in the root of the repository: pass -root")
	}
	return found, connect(found)
}

// connect finds the requirements between modules of the tree.
func connect(found []*module) error {
	byPath := make(map[string]*module)
	for _, m := range found {
		byPath[m.path] = m
	}
	for _, m := range found {
		if want := path.Join(found[0].path, m.dir); m.path != want {
			return fmt.Errorf("the module in %s is called %s: no tag can publish it, call it %s", m.dir, m.path, want)
		}
		for _, r := range m.file.Require {
			required := byPath[r.Mod.Path]
			if required == nil {
				continue
			}
			if m.published() && !required.published() {
				return fmt.Errorf("%s requires %s, which is not published", m.path, required.path)
			}
			m.requires = append(m.requires, required)
		}
	}
	return nil
}

// inOrder sorts modules so that each comes after those that it requires. Modules of one rank stay
// in the order of their folders.
func inOrder(found []*module) ([]*module, error) {
	var sorted []*module
	for len(sorted) < len(found) {
		next := slices.IndexFunc(found, func(m *module) bool {
			return !slices.Contains(sorted, m) &&
				!slices.ContainsFunc(m.requires, func(r *module) bool { return !slices.Contains(sorted, r) })
		})
		if next < 0 {
			return nil, errors.New("modules require each other in a circle: no order of tags publishes them")
		}
		sorted = append(sorted, found[next])
	}
	return sorted, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// release is the making of one version.
type release struct {
	tree    *tree
	version string
	checks  string // a command of the shell
	out     io.Writer
}

// show prints the steps of make, and changes nothing.
func (r release) show(ctx context.Context) error {
	edits, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	proxy, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	released, err := packReleased(r.tree, r.version, proxy)
	if err := errors.Join(err, os.RemoveAll(proxy)); err != nil {
		return err
	}
	fmt.Fprintln(r.out, "would change:")
	for _, name := range slices.Sorted(maps.Keys(edits)) {
		if err := r.showEdit(name, edits[name]); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.out, "would run: %s\n", r.checks)
	fmt.Fprintf(r.out, "would commit that, and in a child of it, for nested modules, without replace:\n")
	for _, name := range slices.Sorted(maps.Keys(released)) {
		fmt.Fprintln(r.out, "   ", name)
	}
	fmt.Fprintln(r.out, "would tag:")
	for _, m := range r.tree.published() {
		fmt.Fprintln(r.out, "   ", m.tag(r.version))
	}
	return nil
}

// showEdit prints the lines that are new in a file.
func (r release) showEdit(name string, after []byte) error {
	before, err := os.ReadFile(r.tree.disk(name))
	if err != nil {
		return err
	}
	known := strings.Split(string(before), "\n")
	for line := range strings.SplitSeq(string(after), "\n") {
		if !slices.Contains(known, line) {
			fmt.Fprintf(r.out, "    %s: %s\n", name, strings.TrimSpace(line))
		}
	}
	return nil
}

// make makes the commits and the tags. If a check fails, it restores the tree.
func (r release) make(ctx context.Context) error {
	edits, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	if err := r.tree.write(edits); err != nil {
		return err
	}
	if err := r.check(ctx, edits); err != nil {
		_, restore := r.tree.git(context.WithoutCancel(ctx), "checkout", "--", ".")
		return errors.Join(err, restore)
	}
	if len(edits) > 0 {
		if _, err := r.tree.git(ctx, "commit", "--all", "--message", "Release "+r.version); err != nil {
			return err
		}
	}
	return r.tag(ctx)
}

// prepare returns the edits of a version that can be made.
func (r release) prepare(ctx context.Context) (overlay, error) {
	if !semver.IsValid(r.version) || semver.Canonical(r.version) != r.version || semver.Major(r.version) > "v1" {
		return nil, fmt.Errorf("%q is no version: pass one such as v0.2.0 (v2 and later need other import paths)", r.version)
	}
	changes, err := r.tree.git(ctx, "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changes != "" {
		return nil, errors.New("the tree is not clean, so a tag would not be of what was checked: commit or remove\n" + changes)
	}
	if err := r.refuseOld(ctx); err != nil {
		return nil, err
	}
	return r.tree.edits(r.version, time.Now().UTC())
}

// refuseOld returns an error if the version, or a newer one, exists.
func (r release) refuseOld(ctx context.Context) error {
	for _, m := range r.tree.published() {
		tags, err := r.tree.versions(ctx, m)
		if err != nil {
			return err
		}
		if len(tags) > 0 && semver.Compare(r.version, tags[0]) <= 0 {
			return fmt.Errorf("%s is not newer than the tag %s", r.version, m.tag(tags[0]))
		}
	}
	return nil
}

// versions returns the versions of a module that have tags, the newest first.
func (t *tree) versions(ctx context.Context, m *module) ([]string, error) {
	list, err := t.git(ctx, "tag", "--list", m.tag("v*"))
	if err != nil {
		return nil, err
	}
	var versions []string
	for tag := range strings.FieldsSeq(list) {
		version := strings.TrimPrefix(tag, strings.TrimPrefix(m.dir+"/", "/"))
		if semver.IsValid(version) {
			versions = append(versions, version)
		}
	}
	slices.SortFunc(versions, func(a, b string) int { return semver.Compare(b, a) })
	return versions, nil
}

// check runs all checks on the tree with the edits, and sees that they leave it as it is.
func (r release) check(ctx context.Context, edits overlay) error {
	if err := compareAPI(ctx, r.tree, r.version, r.out); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", r.checks) //nolint:gosec // it is the flag -checks
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.tree.root, r.out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: nothing was tagged", r.checks, err)
	}
	changes, err := r.tree.git(ctx, "ls-files", "--modified", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	if want := strings.Join(slices.Sorted(maps.Keys(edits)), "\n"); sortedLines(changes) != want {
		return fmt.Errorf("%s changed the tree: nothing was tagged\n%s", r.checks, changes)
	}
	return nil
}

func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(text, "\n")), "\n")
}

func (t *tree) write(changed overlay) error {
	for name, data := range changed {
		if err := os.WriteFile(t.disk(name), data, 0o644); err != nil { //nolint:gosec // a file of the repository
			return err
		}
	}
	return nil
}

// tag makes the child commit and the tags, and says how to push them.
func (r release) tag(ctx context.Context) (err error) {
	tree, err := readTree(ctx, r.tree.root) // with the edits
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	released, err := packReleased(tree, r.version, filepath.Join(work, "proxy"))
	if err != nil {
		return err
	}
	child, err := tree.commit(ctx, released, "Release "+r.version+": modules without replace", filepath.Join(work, "index"))
	if err != nil {
		return err
	}
	push := []string{"git push --atomic origin HEAD"}
	for _, m := range tree.published() {
		commit := "HEAD"
		if m.dir != "" {
			commit = child
		}
		tag := m.tag(r.version)
		if _, err := tree.git(ctx, "tag", "--annotate", "--message", m.path+" "+r.version, tag, commit); err != nil {
			return err
		}
		fmt.Fprintln(r.out, "tagged", tag)
		push = append(push, tag)
	}
	fmt.Fprintf(r.out, "publish them together:\n%s\n", strings.Join(push, " "))
	return nil
}

// commit makes a child of HEAD in which files differ, by an index of its own, so that neither the
// branch nor the work tree moves.
func (t *tree) commit(ctx context.Context, changed overlay, message, index string) (string, error) {
	env := []string{"GIT_INDEX_FILE=" + index}
	if _, err := output(ctx, t.root, env, "git", "read-tree", "HEAD"); err != nil {
		return "", err
	}
	for name, data := range changed {
		file := index + ".file"
		if err := os.WriteFile(file, data, 0o600); err != nil {
			return "", err
		}
		blob, err := t.git(ctx, "hash-object", "-w", "--no-filters", file)
		if err != nil {
			return "", err
		}
		if _, err := output(ctx, t.root, env, "git", "update-index", "--add", "--cacheinfo", "100644,"+blob+","+name); err != nil {
			return "", err
		}
	}
	written, err := output(ctx, t.root, env, "git", "write-tree")
	if err != nil {
		return "", err
	}
	return t.git(ctx, "commit-tree", strings.TrimSpace(written), "-p", "HEAD", "-m", message)
}

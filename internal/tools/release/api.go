package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/mod/semver"
	"golang.org/x/tools/go/packages"
)

// compareAPI prints how the API of each published module differs from that of the last tag. It
// fails when a change is incompatible and the version that is next does not allow that. Any next
// version is allowed to differ when next is empty.
func compareAPI(ctx context.Context, t *tree, next string, out io.Writer) (err error) {
	tags, err := t.versions(ctx, t.core())
	if err != nil {
		return err
	}
	if len(tags) == 0 {
		fmt.Fprintln(out, "api: there is no tag yet, so there is no API to compare with")
		return nil
	}
	work, err := os.MkdirTemp("", "release-api-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	old := filepath.Join(work, "old")
	if _, err := t.git(ctx, "worktree", "add", "--detach", old, tags[0]); err != nil {
		return err
	}
	defer func() {
		_, remove := t.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", old)
		err = errors.Join(err, remove)
	}()
	broken := false
	for _, m := range t.published() {
		report, isNew, err := changesOf(ctx, t, m, old)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "api: %s since %s:\n", m.path, tags[0])
		switch {
		case isNew:
			fmt.Fprintln(out, "a new module")
		case len(report.Changes) == 0:
			fmt.Fprintln(out, "no changes")
		default:
			if err := report.Text(out); err != nil {
				return err
			}
		}
		broken = broken || slices.ContainsFunc(report.Changes, func(c apidiff.Change) bool { return !c.Compatible })
	}
	if broken && next != "" && !mayBreak(tags[0], next) {
		return fmt.Errorf("%s has incompatible changes since %s: call it %s", next, tags[0], breaking(tags[0]))
	}
	return nil
}

// changesOf returns how a module of the tree differs from the same one in the folder old.
func changesOf(ctx context.Context, t *tree, m *module, old string) (report apidiff.Report, isNew bool, err error) {
	before := filepath.Join(old, filepath.FromSlash(m.dir))
	if _, err := os.Stat(filepath.Join(before, "go.mod")); os.IsNotExist(err) {
		return apidiff.Report{}, true, nil
	}
	from, err := load(ctx, before, m)
	if err != nil {
		return apidiff.Report{}, false, err
	}
	to, err := load(ctx, t.disk(m.dir), m)
	if err != nil {
		return apidiff.Report{}, false, err
	}
	return apidiff.ModuleChanges(from, to), false, nil
}

// load type-checks the packages of a module that users can import.
func load(ctx context.Context, dir string, m *module) (*apidiff.Module, error) {
	loaded, err := packages.Load(&packages.Config{
		Context: ctx,
		Dir:     dir,
		Env:     append(os.Environ(), "GOWORK=off"),
		Mode:    packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypesInfo,
	}, m.path+"/...")
	if err != nil {
		return nil, err
	}
	api := &apidiff.Module{Path: m.path}
	for _, p := range loaded {
		for _, err := range p.Errors {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, err)
		}
		if !slices.Contains(strings.Split(p.PkgPath, "/"), "internal") {
			api.Packages = append(api.Packages, p.Types)
		}
	}
	return api, nil
}

// mayBreak reports whether a version may be incompatible with the one before it: before v1 when the
// minor version is another, and then when the major version is another.
func mayBreak(before, next string) bool {
	if semver.Major(before) == "v0" {
		return semver.MajorMinor(before) != semver.MajorMinor(next)
	}
	return semver.Major(before) != semver.Major(next)
}

// breaking returns the kind of version that may be incompatible with the one before it.
func breaking(before string) string {
	if semver.Major(before) == "v0" {
		return "a new minor version"
	}
	return "a new major version"
}

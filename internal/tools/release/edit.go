package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"time"
)

const (
	versionFile = "tracing/names.go"
	changelog   = "CHANGELOG.md"
)

// versionConstant is the version in the instrumentation scope of all telemetry.
var versionConstant = regexp.MustCompile(`(?m)^(\s*(?:const )?Version\s*= )"[^"]*"$`)

// edits returns the files of the tree that have another content in the commit of a version.
func (t *tree) edits(version string, today time.Time) (overlay, error) {
	changed := make(overlay)
	for _, m := range t.modules {
		file, err := withVersion(m, version)
		if err != nil {
			return nil, err
		}
		if changed[path.Join(m.dir, "go.mod")], err = file.Format(); err != nil {
			return nil, err
		}
	}
	for name, edit := range map[string]func(text, version string) (string, error){
		versionFile: setVersionConstant,
		changelog: func(text, version string) (string, error) {
			return addHeading(text, version, today)
		},
	} {
		before, err := os.ReadFile(t.disk(name))
		if err != nil {
			return nil, err
		}
		after, err := edit(string(before), strings.TrimPrefix(version, "v"))
		if err != nil {
			return nil, err
		}
		changed[name] = []byte(after)
	}
	return changed, t.dropUnchanged(changed)
}

func (t *tree) dropUnchanged(changed overlay) error {
	for name, after := range changed {
		before, err := os.ReadFile(t.disk(name))
		if err != nil {
			return err
		}
		if bytes.Equal(before, after) {
			delete(changed, name)
		}
	}
	return nil
}

func setVersionConstant(text, version string) (string, error) {
	if len(versionConstant.FindAllString(text, -1)) != 1 {
		return "", fmt.Errorf("%s must have one line that sets Version", versionFile)
	}
	return versionConstant.ReplaceAllString(text, `${1}"`+version+`"`), nil
}

// addHeading puts the changes that are not released yet below the heading of a version.
func addHeading(text, version string, today time.Time) (string, error) {
	const unreleased = "## [Unreleased]\n"
	if strings.Contains(text, "\n## ["+version+"]") {
		return "", fmt.Errorf("%s has a heading of %s already", changelog, version)
	}
	before, after, ok := strings.Cut(text, unreleased)
	if !ok {
		return "", fmt.Errorf("%s lacks the line %q", changelog, strings.TrimSpace(unreleased))
	}
	changes, _, _ := strings.Cut(after, "\n## [")
	if strings.TrimSpace(changes) == "" {
		return "", errors.New("nothing is listed as unreleased in " + changelog)
	}
	return before + unreleased + "\n## [" + version + "] - " + today.Format(time.DateOnly) + "\n" + after, nil
}

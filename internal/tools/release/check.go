package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	// checkVersion is one that no tag can have: it is older than every release.
	checkVersion = "v0.0.0-check.1"

	// program is the folder of the code that the README shows, as a package of tests.
	program = "examples/readme"
)

// check packs the published modules, and uses them as somebody does who has nothing else.
func check(ctx context.Context, t *tree, asIs bool, out io.Writer) (err error) {
	work, err := os.MkdirTemp("", "release-check-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	proxy := filepath.Join(work, "proxy")
	if asIs {
		err = packAsIs(t, checkVersion, proxy)
	} else {
		_, err = packReleased(t, checkVersion, proxy)
	}
	if err != nil {
		return err
	}
	s := stranger{dir: filepath.Join(work, "stranger"), out: out}
	if s.env, err = strangersEnv(ctx, t, proxy, filepath.Join(work, "modules")); err != nil {
		return err
	}
	return s.use(ctx, t)
}

// strangersEnv returns an environment in which the published modules come from proxy, and all
// others from the cache of modules or the usual proxy. It has a cache of its own: what is in the
// usual one would otherwise stay, and hide the failure of a later check.
func strangersEnv(ctx context.Context, t *tree, proxy, cache string) ([]string, error) {
	usual, err := output(ctx, t.root, nil, "go", "env", "GOPROXY", "GOMODCACHE", "GONOSUMDB")
	if err != nil {
		return nil, err
	}
	values := strings.Split(usual, "\n")
	// Repositories are not asked for folders that are no modules: a proxy answers that at once.
	others := strings.TrimSuffix(values[0], ",direct")
	return []string{
		"GOPROXY=" + strings.Join([]string{fileURL(proxy), fileURL(filepath.Join(values[1], "cache", "download")), others}, ","),
		"GOMODCACHE=" + cache,
		"GONOSUMDB=" + strings.Trim(values[2]+","+t.core().path, ","), // no public log has these checksums
		"GOWORK=off",
		// Writable, so that it can be removed; without paths, so that a second check finds all
		// packages in the cache of builds.
		"GOFLAGS=-mod=mod -modcacherw -trimpath",
	}, nil
}

func fileURL(dir string) string {
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir // a drive letter
	}
	return "file://" + dir
}

// stranger is an empty module outside of the repository.
type stranger struct {
	dir string
	env []string
	out io.Writer
}

func (s stranger) use(ctx context.Context, t *tree) error {
	if err := s.begin(ctx, t); err != nil {
		return err
	}
	for _, m := range t.published() {
		fmt.Fprintf(s.out, "go get %s\n", m.path)
		if err := s.goes(ctx, "get", m.path+"@"+checkVersion); err != nil {
			return err
		}
	}
	for _, m := range t.published() {
		fmt.Fprintf(s.out, "go build %s/...\n", m.path)
		if err := s.goes(ctx, "build", m.path+"/..."); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "go test ./%s\n", program)
	return s.goes(ctx, "test", "-count=1", "./"+program)
}

// begin makes the module, with the README and the code that it shows. Its go.sum begins with the
// checksums that the repository has of other modules, so that they are not asked for once more.
func (s stranger) begin(ctx context.Context, t *tree) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.goes(ctx, "mod", "init", "example.com/stranger"); err != nil {
		return err
	}
	var sums strings.Builder
	shown := false
	for _, name := range t.files {
		switch {
		case filepath.Base(name) == "go.sum" && !strings.HasPrefix(name, "internal/"):
			data, err := os.ReadFile(t.disk(name))
			if err != nil {
				return err
			}
			sums.Write(data)
		case name == "README.md", strings.HasPrefix(name, program+"/"):
			shown = shown || name != "README.md"
			if err := s.copyFile(t, name); err != nil {
				return err
			}
		}
	}
	if !shown {
		return fmt.Errorf("there is no program of the README in %s", program)
	}
	return os.WriteFile(filepath.Join(s.dir, "go.sum"), []byte(sums.String()), 0o600)
}

func (s stranger) copyFile(t *tree, name string) error {
	data, err := os.ReadFile(t.disk(name))
	if err != nil {
		return err
	}
	target := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o600) //nolint:gosec // git lists no name outside of the repository
}

func (s stranger) goes(ctx context.Context, args ...string) error {
	out, err := output(ctx, s.dir, s.env, "go", args...)
	fmt.Fprint(s.out, out)
	return err
}

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

const base = "TestWay_New"

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "way:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("way", flag.ContinueOnError)
	verbose := flags.Bool("v", false, "print the names of the functions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root := "."
	if flags.NArg() > 0 {
		root = flags.Arg(0)
	}
	module, err := goOutput(ctx, root, "list", "-m")
	if err != nil {
		return err
	}
	list, err := goOutput(ctx, root, "test", "-list", "^TestWay_", ".")
	if err != nil {
		return err
	}
	ways, err := measure(ctx, root, strings.TrimSpace(module), testsIn(list))
	if err != nil {
		return err
	}
	return printWays(stdout, ways, *verbose)
}

// way is one operation.
type way struct {
	name      string
	functions []function
}

// testsIn returns the operations in the output of go test -list.
func testsIn(list string) (tests []string) {
	for line := range strings.FieldsSeq(list) {
		if strings.HasPrefix(line, "TestWay_") && line != base {
			tests = append(tests, line)
		}
	}
	return tests
}

func measure(ctx context.Context, root, module string, tests []string) ([]way, error) {
	if len(tests) == 0 {
		return nil, errors.New("no test is named TestWay_: pass the folder of the core")
	}
	made, err := profile(ctx, root, base)
	if err != nil {
		return nil, err
	}
	ways := make([]way, 0, len(tests))
	for _, test := range tests {
		blocks, err := profile(ctx, root, test)
		if err != nil {
			return nil, err
		}
		functions, err := functionsAt(more(blocks, made), module, root)
		if err != nil {
			return nil, err
		}
		ways = append(ways, way{strings.TrimPrefix(test, "TestWay_"), functions})
	}
	return ways, nil
}

// profile returns the coverage of one test.
func profile(ctx context.Context, root, test string) (blocks []block, err error) {
	dir, err := os.MkdirTemp("", "way")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	name := filepath.Join(dir, "coverage.out")
	if _, err := goOutput(ctx, root, "test", "-count=1", "-run", "^"+test+"$",
		"-covermode=count", "-coverpkg=./...", "-coverprofile="+name, "."); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(name) //nolint:gosec // go test has just written it
	if err != nil {
		return nil, err
	}
	return parseProfile(bytes.NewReader(text))
}

func goOutput(ctx context.Context, dir string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are those above
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s%s", args[0], err, out, stderr.Bytes())
	}
	return string(out), nil
}

func printWays(w io.Writer, ways []way, verbose bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "operation\tfunctions\tfiles")
	for _, way := range ways {
		fmt.Fprintf(table, "%s\t%d\t%d\n", way.name, len(way.functions), filesOf(way.functions))
		if !verbose {
			continue
		}
		for _, f := range way.functions {
			fmt.Fprintf(table, "  %s\t%s\t\n", f.name, f.file)
		}
	}
	return table.Flush()
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:gocritic // the process ends anyway
	}
}

var errUsage = errors.New("usage: release [-root DIR] tag [-n] [-checks COMMAND] VERSION | check [-as-is] | api [-next VERSION]")

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("root", ".", "the `folder` of the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errUsage
	}
	dir, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	command, args := flags.Arg(0), flags.Args()[1:]
	switch command {
	case "tag":
		return runTag(ctx, dir, args, stdout)
	case "check":
		return runCheck(ctx, dir, args, stdout)
	case "api":
		return runAPI(ctx, dir, args, stdout)
	default:
		return errUsage
	}
}

func runTag(ctx context.Context, root string, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("tag", flag.ContinueOnError)
	dry := flags.Bool("n", false, "show what would be done, and change nothing")
	checks := flags.String("checks", ".ci/run", "the `command` that runs all checks, in the root of the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errUsage
	}
	tree, err := readTree(ctx, root)
	if err != nil {
		return err
	}
	r := release{tree: tree, version: flags.Arg(0), checks: *checks, out: stdout}
	if *dry {
		return r.show(ctx)
	}
	return r.make(ctx)
}

func runCheck(ctx context.Context, root string, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	asIs := flags.Bool("as-is", false, "pack the modules as they are in the tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tree, err := readTree(ctx, root)
	if err != nil {
		return err
	}
	return check(ctx, tree, *asIs, stdout)
}

func runAPI(ctx context.Context, root string, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("api", flag.ContinueOnError)
	next := flags.String("next", "", "the `version` that is about to be released")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tree, err := readTree(ctx, root)
	if err != nil {
		return err
	}
	return compareAPI(ctx, tree, *next, stdout)
}

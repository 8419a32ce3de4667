// Service is an HTTP service as people write them, with a cache of two tiers in
// front of its database: otter in the process, and Redis, or badger where there
// is no Redis.
//
//	go run -C examples ./service
//
// The cache is made in users.go and its tiers in tiers.go and redis.go; instances.go runs
// several. README.md walks through it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	logLibraries(newLogger(os.Stderr))
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the program: it serves until ctx ends. It returns its exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return statusOK
	case err != nil:
		fmt.Fprintf(stderr, "service: %v\n\n%s", err, usage)
		return statusUsage
	}
	log := newLogger(stderr)
	if err := serveAll(ctx, opts, getenv, log); err != nil {
		log.ErrorContext(ctx, "the service has failed", "error", err)
		return statusFailed
	}
	return statusOK
}

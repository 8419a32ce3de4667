// Quickstart shows the purpose of tiercache, without any server: a cache over otter and
// badger, whose tiers fail one after the other; and the trace of every request with the
// values that both tiers hold afterwards.
//
//	go run -C examples ./quickstart          # one scenario, which makes the point
//	go run -C examples ./quickstart -all     # every scenario
//
// The cache is made in service.go and its two tiers in tiers.go; scenarios.go,
// reads.go, conditions.go and repairs.go have the scenarios. The other files show it.
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
	statusOK          = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130 // the status that shells report for Ctrl-C
)

func main() {
	// A reader that goes away, as in "quickstart | head", must not keep the
	// temporary folder from being removed.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program. It returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return statusOK
	case err != nil:
		fmt.Fprintf(stderr, "quickstart: %v\n\n%s", err, usage)
		return statusUsage
	}
	if opts.list {
		for i, sc := range scenarios() {
			fmt.Fprintf(stdout, "%3d. %s\n", i+1, sc.title)
		}
		return statusOK
	}
	if err := quickstart(ctx, opts, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "quickstart: %v\n", err)
		if ctx.Err() != nil {
			return statusInterrupted
		}
		return statusFailed
	}
	return statusOK
}

var errInterrupted = errors.New("interrupted")

func quickstart(ctx context.Context, opts options, stdout, stderr io.Writer) error {
	tel, err := newTelemetry(ctx, opts.exporter, stdout)
	if err != nil {
		return err
	}
	defer tel.shutdown(ctx)
	out := stdout
	if opts.exporter == exporterStdout {
		out = stderr // so that the raw spans can be piped
	}
	r := newReport(out)
	r.colour, r.trees = palette(opts.colour.enabled(out)), opts.exporter == exporterTree
	if opts.shown() != 0 {
		r.width = screenWidth
	}
	if err := runScenarios(ctx, tel, r, opts.shown()); err != nil {
		return err
	}
	if tel.otlp == nil {
		return nil
	}
	tel.flush(ctx)
	r.sent(tel.otlp)
	return tel.otlp.err()
}

// runScenarios runs all scenarios on one service and reports them; or, if one is to be
// shown alone, the earlier ones of its key unseen, and then that one.
func runScenarios(ctx context.Context, tel *telemetry, r *report, shown int) (err error) {
	svc, err := newService(tel) //nolint:contextcheck // a cache has a context of its own, until it is closed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, svc.close(ctx)) }()
	coherent, err := newCoherentService(tel) //nolint:contextcheck // likewise
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, coherent.close(ctx)) }()
	r.intro(shown != 0)
	all := scenarios()
	if shown != 0 {
		all = all[:shown]
	}
	for i, sc := range all {
		if shown != 0 && sc.key != all[shown-1].key {
			continue
		}
		if ctx.Err() != nil {
			return errInterrupted
		}
		on := svc
		if sc.key == sharedKey {
			on = coherent
		}
		got, failed := sc.run(ctx, on, sc.key)
		if shown != 0 && i+1 != shown {
			r.unseen(i+1, sc, tel.newSpans(), on.tiers)
			continue
		}
		if err := r.scenario(ctx, i+1, sc, got, failed, tel.newSpans(), on.tiers); err != nil {
			return err
		}
	}
	return r.summary(ctx, tel, len(svc.inconsistencies())+len(coherent.inconsistencies()))
}

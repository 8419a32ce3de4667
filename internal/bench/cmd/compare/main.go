// Command compare measures tiercache and other libraries, and prints Markdown.
//
//	compare [-rounds 7] [-within 8m] [-time 100ms] [-only WORKLOAD]
//	        [-caches NAME] [-raw FILE] [-into FILE] [-no-redis]
//
// With -raw, it writes the results of all rounds as go test -bench does, for
// benchstat -col /cache. With -into, it also puts the tables between the marks of
// that file. It starts a Redis of its own when the path has a redis-server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tiercache/tiercache/internal/bench/about"
	"github.com/tiercache/tiercache/internal/bench/compare"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/insert"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

func main() {
	// So that a Redis that was started is ended too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, driver.ForBenchmarks(), os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// settings are the values of the flags.
type settings struct {
	compare.Options

	raw, into string
	noRedis   bool
}

func parse(drivers []driver.Driver, args []string, stderr io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	s.Drivers, s.Progress, s.Raw = drivers, stderr, io.Discard
	flags.IntVar(&s.Rounds, "rounds", 7, "how often everything is measured, at most")
	flags.DurationVar(&s.Within, "within", 8*time.Minute, "how long all rounds may take, about; there is always one")
	flags.StringVar(&s.Time, "time", "100ms", "for how long each time")
	flags.StringVar(&s.Only, "only", "", "only workloads whose name contains this")
	flags.StringVar(&s.raw, "raw", "", "`file` for the results in the format of go test -bench")
	flags.StringVar(&s.into, "into", "", "`file` that has the marks \"compare\"")
	flags.BoolVar(&s.noRedis, "no-redis", false, "do not start a Redis")
	caches := flags.String("caches", "", "only tiercache, and caches whose name contains this")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.Rounds < 1 {
		return s, errors.New("there must be a round")
	}
	if *caches != "" {
		s.Drivers = driver.Only(s.Drivers, *caches)
	}
	return s, nil
}

func run(ctx context.Context, drivers []driver.Driver, args []string, stdout, stderr io.Writer) (err error) {
	s, err := parse(drivers, args, stderr)
	if err != nil {
		return err
	}
	if s.raw != "" {
		file, fileErr := os.Create(s.raw)
		if fileErr != nil {
			return fileErr
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		s.Raw = file
	}
	redis := "no Redis"
	if !s.noRedis {
		switch s.Redis, err = server.StartRedis(ctx); {
		case errors.Is(err, server.ErrMissing):
			fmt.Fprintln(stderr, "there is no redis-server in the path: only L2 in memory is measured")
		case err != nil:
			return err
		default:
			defer s.Redis.Stop()
			redis = "Redis " + s.Redis.Version
		}
	}
	report, err := compare.Run(ctx, s.Options)
	if err != nil {
		return err
	}
	return s.write(report, redis, stdout)
}

func (s settings) write(report *compare.Report, redis string, stdout io.Writer) error {
	var out strings.Builder
	if err := report.WriteMarkdown(&out); err != nil {
		return err
	}
	fmt.Fprintf(&out, "\nMedians of %d rounds of %s, on %s; %s.\nMeasured with %s\n", report.Rounds, s.Time,
		about.Machine(), redis, about.Versions(s.Drivers, time.Now()))
	if s.into != "" {
		if err := insert.Into(s.into, "compare", out.String()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(stdout, out.String())
	return err
}

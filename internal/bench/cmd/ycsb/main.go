// Command ycsb runs the YCSB core workloads A, B, C, D and F, and G, which replays a
// recorded trace, with tiercache and other libraries over a Redis of its own, and prints
// Markdown.
//
//	ycsb [-rounds 5] [-within 10m] [-operations 100000] [-records 100000]
//	     [-value-size 1000] [-threads 16] [-l1 10000] [-only ABCDFG] [-caches NAME]
//	     [-into FILE] [-no-redis]
//
// With -into, it also puts the tables between the marks of that file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tiercache/tiercache/internal/bench/about"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/insert"
	"github.com/tiercache/tiercache/internal/bench/ycsb"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

func main() {
	// The library that draws the operations prints on standard output, which is to
	// have the tables alone.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	// So that a Redis that was started is ended too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, driver.ForRecords(), os.Args[1:], stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "ycsb:", err)
		os.Exit(1)
	}
}

// settings are the values of the flags.
type settings struct {
	ycsb.Options

	into    string
	noRedis bool
}

func parse(drivers []driver.Driver, args []string, stderr io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("ycsb", flag.ContinueOnError)
	flags.SetOutput(stderr)
	s.Drivers, s.Progress = drivers, stderr
	flags.IntVar(&s.Rounds, "rounds", 5, "how often everything is measured, at most")
	flags.DurationVar(&s.Within, "within", 10*time.Minute, "how long all rounds may take, about; there is always one")
	flags.IntVar(&s.Operations, "operations", 100_000, "of each run; a quarter as many warm the cache before")
	flags.IntVar(&s.Records, "records", 100_000, "how many records Redis has")
	flags.IntVar(&s.ValueSize, "value-size", 1000, "`bytes` of a record")
	flags.IntVar(&s.Threads, "threads", 16, "goroutines that work at once")
	flags.IntVar(&s.L1, "l1", 10_000, "entries of the first tier")
	flags.StringVar(&s.Only, "only", "", "`names` of workloads, as in AC")
	flags.StringVar(&s.into, "into", "", "`file` that has the marks \"ycsb\"")
	flags.BoolVar(&s.noRedis, "no-redis", false, "L2 is in the process")
	caches := flags.String("caches", "", "only the base, and caches whose name contains this")
	if err := flags.Parse(args); err != nil {
		return s, err
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
	l2 := "L2 in the process"
	if !s.noRedis {
		if s.Redis, err = server.StartRedis(ctx); err != nil {
			return fmt.Errorf("a Redis is needed, unless -no-redis is given: %w", err)
		}
		defer s.Redis.Stop()
		l2 = "Redis " + s.Redis.Version
	}
	before := about.Load()
	report, err := ycsb.Run(ctx, s.Options)
	if err != nil {
		return err
	}
	return s.write(report, before, l2, stdout)
}

func (s settings) write(report *ycsb.Report, load, l2 string, stdout io.Writer) error {
	var out strings.Builder
	if n, err := strconv.ParseFloat(load, 64); err == nil && n > float64(runtime.NumCPU()) {
		fmt.Fprintf(&out, "**The machine was busy with other work (a load of %s on %d cores) while these figures were taken: "+
			"times and throughput say little. Hits, allocations and records not found hold.**\n\n", load, runtime.NumCPU())
	}
	if err := report.WriteMarkdown(&out); err != nil {
		return err
	}
	fmt.Fprintf(&out, "\nMedians of %d rounds of %d operations by %d threads; %d records of %d bytes, an L1 of %d; "+
		"on %s; %s. Load of the machine at the begin: %s.\nMeasured with %s\n",
		report.Rounds, s.Operations, s.Threads, s.Records, s.ValueSize, s.L1,
		about.Machine(), l2, load, about.Versions(s.Drivers, time.Now()))
	if s.into != "" {
		if err := insert.Into(s.into, "ycsb", out.String()); err != nil {
			return err
		}
	}
	_, err := io.WriteString(stdout, out.String())
	return err
}

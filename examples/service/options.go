package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

const usage = `Service is an HTTP service with a cache of two tiers in front of a slow database.

usage: service [flags]

  -listen 127.0.0.1:8080   address on which it listens; port 0 takes a free one
  -metrics-listen 127.0.0.1:8081
                           address of /metrics and /status, which are not for users; empty: nowhere
  -trust-traceparent       requests belong to the trace that they name, for a service that only
                           others of the same owner can reach. Default: each request begins a
                           trace of its own, with a link to that one
  -redis host:port         Redis is L2; several addresses, with commas between, are a cluster.
                           Default: the variable REDIS_ADDR. Empty: badger is L2
  -coherence 1s            with Redis, how old a value may be that another instance has replaced;
                           at least 500ms. 0: up to a minute, the TTL in L1
  -instances 1             with Redis, how many instances to run in this process. The ports of
                           each are 10 above those of the one before
  -faults                  with Redis, POST /faults/cut to the port of the metrics cuts the
                           instance off from Redis, and /faults/restore puts it back
  -dir folder              of badger. Default: a temporary one, which is removed at the end
  -l1-size 10000           number of entries in L1
  -ttl 10m                 TTL of an entry
  -write-timeout 500ms     limit for a write of L2, repetitions included
  -database-delay 100ms    how long a query of the database takes
  -shutdown-timeout 10s    limit for the end of the service

Traces go where the variables OTEL_EXPORTER_OTLP_* say, or to standard output with
OTEL_TRACES_EXPORTER=console; logs go to standard error. Keys are shown as the first 16
digits of their HMAC-SHA256. The secret is the variable USERS_KEY_SECRET; without it, it is
random, and only hashes of one process can be compared.

exit status: 0, 1 for a failure, 2 for wrong flags
`

const (
	maxInstances   = 20
	leastCoherence = 500 * time.Millisecond
)

type options struct {
	listen          string
	metricsListen   string // empty: nowhere
	trustTrace      bool
	keySecret       string        // empty: random
	redis           []string      // addresses; none: badger
	coherence       time.Duration // 0: off
	instances       int
	faults          bool
	dir             string // of badger; empty: a temporary one
	l1Size          int
	ttl             time.Duration
	writeTimeout    time.Duration
	databaseDelay   time.Duration
	shutdownTimeout time.Duration
}

// parseOptions returns flag.ErrHelp for -h.
func parseOptions(args []string, getenv func(string) string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error and the usage
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:8080", "")
	flags.StringVar(&opts.metricsListen, "metrics-listen", "127.0.0.1:8081", "")
	flags.BoolVar(&opts.trustTrace, "trust-traceparent", false, "")
	opts.keySecret = getenv("USERS_KEY_SECRET")
	redis := flags.String("redis", getenv("REDIS_ADDR"), "")
	flags.DurationVar(&opts.coherence, "coherence", time.Second, "")
	flags.IntVar(&opts.instances, "instances", 1, "")
	flags.BoolVar(&opts.faults, "faults", false, "")
	flags.StringVar(&opts.dir, "dir", "", "")
	flags.IntVar(&opts.l1Size, "l1-size", 10_000, "")
	flags.DurationVar(&opts.ttl, "ttl", 10*time.Minute, "")
	flags.DurationVar(&opts.writeTimeout, "write-timeout", 500*time.Millisecond, "")
	flags.DurationVar(&opts.databaseDelay, "database-delay", 100*time.Millisecond, "")
	flags.DurationVar(&opts.shutdownTimeout, "shutdown-timeout", 10*time.Second, "")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	if *redis != "" {
		opts.redis = strings.Split(*redis, ",")
	}
	return opts, opts.validate()
}

// validate names everything that is wrong.
func (o options) validate() error {
	var errs []error
	if err := checkAddress(o.listen, 0); err != nil {
		errs = append(errs, fmt.Errorf("-listen: %w", err))
	}
	if err := checkMetricsAddress(o); err != nil {
		errs = append(errs, fmt.Errorf("-metrics-listen: %w", err))
	}
	for _, addr := range o.redis {
		if err := checkAddress(addr, 1); err != nil {
			errs = append(errs, fmt.Errorf("-redis (or REDIS_ADDR): %w", err))
		} else if host, _, _ := net.SplitHostPort(addr); host == "" {
			errs = append(errs, fmt.Errorf("-redis (or REDIS_ADDR): %q has no host", addr))
		}
	}
	if o.dir != "" && o.redis != nil {
		errs = append(errs, errors.New("-dir is badger's folder, which is not used with -redis (or REDIS_ADDR): use one of them"))
	}
	errs = append(errs, o.validateInstances()...)
	if o.l1Size < 1 {
		errs = append(errs, fmt.Errorf("-l1-size is %d: it must be at least 1", o.l1Size))
	}
	for _, limit := range []struct {
		flag string
		d    time.Duration
	}{{"-ttl", o.ttl}, {"-write-timeout", o.writeTimeout}, {"-shutdown-timeout", o.shutdownTimeout}} {
		if limit.d <= 0 {
			errs = append(errs, fmt.Errorf("%s is %v: it must be positive", limit.flag, limit.d))
		}
	}
	if o.databaseDelay < 0 {
		errs = append(errs, fmt.Errorf("-database-delay is %v: it must not be negative", o.databaseDelay))
	}
	return errors.Join(errs...)
}

// validateInstances checks what concerns several instances.
func (o options) validateInstances() (errs []error) {
	if o.instances < 1 || o.instances > maxInstances {
		errs = append(errs, fmt.Errorf("-instances is %d: it must be 1 to %d", o.instances, maxInstances))
	} else if last := o.ofInstance(o.instances - 1); errors.Join(checkAddress(last.listen, 0), checkMetricsAddress(last)) != nil {
		errs = append(errs, errors.New("-instances: the ports of the last one, 10 above those of the one before, are too large"))
	}
	if o.redis == nil && (o.instances > 1 || o.faults) {
		errs = append(errs, errors.New("-instances and -faults need Redis: give its address with -redis (or REDIS_ADDR)"))
	}
	if o.coherence != 0 && o.coherence < leastCoherence {
		errs = append(errs, fmt.Errorf("-coherence is %v: it must be 0 or at least %v", o.coherence, leastCoherence))
	}
	return errs
}

func checkMetricsAddress(o options) error {
	if o.metricsListen == "" {
		return nil
	}
	return checkAddress(o.metricsListen, 0)
}

func checkAddress(addr string, lowestPort uint64) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not host:port", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n < lowestPort {
		return fmt.Errorf("%q has no valid port", addr)
	}
	return nil
}

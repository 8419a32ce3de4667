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
                           address of /metrics, which is not for users; empty: nowhere
  -trust-traceparent       requests belong to the trace that they name, for a service that only
                           others of the same owner can reach. Default: each request begins a
                           trace of its own, with a link to that one
  -redis host:port         Redis is L2; several addresses, with commas between, are a cluster.
                           Default: the variable REDIS_ADDR. Empty: badger is L2
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

type options struct {
	listen          string
	metricsListen   string // empty: nowhere
	trustTrace      bool
	keySecret       string   // empty: random
	redis           []string // addresses; none: badger
	dir             string   // of badger; empty: a temporary one
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
	if o.metricsListen != "" {
		if err := checkAddress(o.metricsListen, 0); err != nil {
			errs = append(errs, fmt.Errorf("-metrics-listen: %w", err))
		}
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

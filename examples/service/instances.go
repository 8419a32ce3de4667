package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"
)

// portStep is between the ports of two instances.
const portStep = 10

// serveAll runs as many instances as the options say, until ctx ends or one of them
// fails. Each has its own L1, client, reader of the log, and telemetry; they share Redis
// and the database, as instances on several machines do.
func serveAll(ctx context.Context, opts options, getenv func(string) string, log *slog.Logger) error {
	servers := make([]*server, 0, opts.instances)
	var err error
	for i := range opts.instances {
		var s *server
		if s, err = openInstance(ctx, opts, i, getenv, log); err != nil {
			break
		}
		servers = append(servers, s)
		s.users.db = servers[0].users.db
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			if err == nil {
				errs[i] = s.run(ctx)
				cancel() // the others do not go on without it
			}
			errs[i] = errors.Join(errs[i], s.shutdown(ctx))
		})
	}
	wg.Wait()
	return errors.Join(append(errs, err)...)
}

func openInstance(ctx context.Context, opts options, i int, getenv func(string) string, log *slog.Logger) (*server, error) {
	if opts.instances > 1 {
		log = log.With("instance", i+1)
	}
	spans, err := newSpanProcessor(ctx, getenv, log)
	if err != nil {
		return nil, err
	}
	return open(ctx, opts.ofInstance(i), spans, log)
}

// ofInstance returns the options of one instance: its ports are the next ones.
func (o options) ofInstance(i int) options {
	o.listen = nextPort(o.listen, i)
	if o.metricsListen != "" {
		o.metricsListen = nextPort(o.metricsListen, i)
	}
	return o
}

// nextPort leaves port 0 as it is, which takes a free one. The address is valid.
func nextPort(addr string, i int) string {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	if n == 0 {
		return addr
	}
	return net.JoinHostPort(host, strconv.Itoa(n+i*portStep))
}

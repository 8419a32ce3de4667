package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tiercache/tiercache/tier"
)

// shutdown ends the service from the outside in: first the requests, then their
// resources. Every step is taken, also when one before it has failed, and all of them
// together have the time of -shutdown-timeout.
func (s *server) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.shutdownTimeout)
	defer cancel()
	var errs []error
	for _, step := range []struct {
		name string
		end  func(ctx context.Context) error
	}{
		{"requests", ending(s.http)},
		{"writes of the cache", s.closeCache},
		{"the stores", within(s.stores.close)},
		{"scrapes of the metrics", ending(s.scrape)},
		{"the telemetry", s.tel.shutdown},
	} {
		start := time.Now()
		err := step.end(ctx)
		took := time.Since(start).String()
		if err != nil {
			errs = append(errs, fmt.Errorf("shutdown: %s: %w", step.name, err))
			s.tel.log.ErrorContext(ctx, "shutdown: timed out waiting for "+step.name, "took", took, "error", err)
			continue
		}
		s.tel.log.InfoContext(ctx, "shutdown: waited for "+step.name, "took", took)
	}
	return errors.Join(errs...)
}

// ending makes a function that lets no more requests in, and waits for those that have
// begun. Requests that are left when the time is up are cut off.
func ending(server *http.Server) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		return err
	}
}

// closeCache waits for the cache's writes and its repairs that are under way. Keys that it
// could not repair, because L2 is down, are no reason to fail: they are logged, and expire.
func (s *server) closeCache(ctx context.Context) error {
	err := s.users.cache.Close(ctx)
	if errors.Is(err, tier.ErrDiverged) {
		s.tel.log.WarnContext(ctx, "the cache has not repaired all keys", "error", err)
		return nil
	}
	return err
}

// within makes a function that knows no context end with one.
func within(end func() error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ended := make(chan error, 1)
		go func() { ended <- end() }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

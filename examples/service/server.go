package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// server is the service while it runs.
type server struct {
	opts   options
	tel    *telemetry
	stores *stores
	users  *users
	http   *http.Server
	scrape *http.Server // of /metrics and /status, on a port of its own
}

// open makes an instance of the service with all that it needs. spans may be nil. The
// caller shuts it down.
func open(ctx context.Context, opts options, spans sdktrace.SpanProcessor, log *slog.Logger) (*server, error) {
	tel, err := newTelemetry(ctx, spans, log)
	if err != nil {
		return nil, err
	}
	st, err := openStores(ctx, opts, tel)
	if err != nil {
		return nil, errors.Join(err, tel.shutdown(context.WithoutCancel(ctx)))
	}
	s, err := newServer(opts, st, tel) //nolint:contextcheck // a cache has a context of its own, until it is closed
	if err != nil {
		return nil, errors.Join(err, st.close(), tel.shutdown(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func newServer(opts options, st *stores, tel *telemetry) (*server, error) {
	u, err := newUsers(opts, st.l1, st.l2, tel)
	if err != nil {
		return nil, err
	}
	return &server{
		opts: opts, tel: tel, stores: st, users: u,
		http:   httpServer(newHandler(u, tel, opts.trustTrace), tel),
		scrape: httpServer(newAdminHandler(u, tel, st.link), tel),
	}, nil
}

func httpServer(h http.Handler, tel *telemetry) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(tel.log.Handler(), slog.LevelWarn),
	}
}

// run listens and serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.opts.listen)
	if err != nil {
		return err
	}
	served := make(chan error, 2)
	metrics := "nowhere"
	if s.opts.metricsListen != "" {
		m, err := config.Listen(ctx, "tcp", s.opts.metricsListen)
		if err != nil {
			return errors.Join(fmt.Errorf("metrics: %w", err), l.Close())
		}
		metrics = m.Addr().String()
		go func() { served <- s.scrape.Serve(m) }()
	}
	go func() { served <- s.http.Serve(l) }()
	l2 := "badger"
	if s.opts.redis != nil {
		l2 = "redis " + strings.Join(s.opts.redis, ",")
	}
	s.tel.log.InfoContext(ctx, "listening", "addr", l.Addr().String(), "metrics", metrics, "l2", l2)
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		return fmt.Errorf("server: %w", err)
	}
}

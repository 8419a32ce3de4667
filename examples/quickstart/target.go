package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// dialTimeout bounds how long the program looks for a collector.
const dialTimeout = 2 * time.Second

// target is the place to which one signal goes, and the result there.
type target struct {
	signal string // traces, metrics or logs
	url    *url.URL
	grpc   bool

	mu       sync.Mutex
	accepted bool
	failure  error // the first
}

// newTarget reads the variables of the OTLP exporter's specification: those of
// the signal come before the general ones.
func newTarget(signal string) (*target, error) {
	t := &target{signal: signal}
	switch name, protocol := otlpVariable(signal, "PROTOCOL"); protocol {
	case "", "http/protobuf":
	case "grpc":
		t.grpc = true
	default:
		return nil, fmt.Errorf("%s is %q: choose http/protobuf or grpc", name, protocol)
	}
	name, endpoint := otlpVariable(signal, "ENDPOINT")
	switch {
	case endpoint == "" && t.grpc:
		endpoint = "http://localhost:4317"
	case endpoint == "":
		endpoint = "http://localhost:4318"
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%s is %q: it must be a URL such as http://localhost:4318", name, endpoint)
	}
	if !t.grpc && !strings.Contains(name, strings.ToUpper(signal)) {
		u = u.JoinPath("v1", signal) // only the signal's own variable has the whole path
	}
	t.url = u
	return t, nil
}

// otlpVariable returns the variable that decides, and its value.
func otlpVariable(signal, what string) (name, value string) {
	name = "OTEL_EXPORTER_OTLP_" + strings.ToUpper(signal) + "_" + what
	if value = os.Getenv(name); value != "" {
		return name, value
	}
	name = "OTEL_EXPORTER_OTLP_" + what
	return name, os.Getenv(name)
}

// check returns an error with a remedy when nothing listens at the target. Where a
// proxy is in between, it cannot tell.
func (t *target) check(ctx context.Context) error {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: t.url}); proxy != nil || err != nil {
		return err
	}
	address := t.url.Host
	if t.url.Port() == "" {
		address = net.JoinHostPort(t.url.Hostname(), t.url.Scheme)
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf(`nothing listens at %s://%s (%w)
start Jaeger:  docker run --rm -p 16686:16686 -p 4317:4317 -p 4318:4318 jaegertracing/jaeger:latest
or say where a collector listens:  OTEL_EXPORTER_OTLP_ENDPOINT=http://host:4318`, t.url.Scheme, t.url.Host, err)
	}
	return conn.Close()
}

// note remembers the result of an export.
func (t *target) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.accepted = true
	} else if t.failure == nil {
		t.failure = err
	}
}

// err returns nil when all that was exported was accepted.
func (t *target) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil && !t.accepted {
		return errors.New("there was no answer in time")
	}
	return t.failure
}

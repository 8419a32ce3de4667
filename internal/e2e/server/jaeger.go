package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
)

// EnvJaeger is the environment variable that names the Jaeger to run; without it,
// the one is run that `make e2e-setup` has built.
const EnvJaeger = "TIERCACHE_E2E_JAEGER"

// The addresses on which Jaeger listens, in the order in which they are given out.
const (
	jaegerOTLPHTTP = iota
	jaegerOTLPGRPC
	jaegerQuery
	jaegerQueryGRPC
	jaegerAdmin
	jaegerCollectorHTTP
	jaegerCollectorGRPC
	jaegerAddresses // how many there are
)

// Jaeger is a server that keeps traces in its memory. They go with it.
type Jaeger struct {
	*Process

	OTLPHTTP string // where spans go by OTLP over HTTP: a URL without a path
	OTLPGRPC string // the same over gRPC
	QueryURL string // where the query API is: a URL without a path
}

// StartJaeger starts a Jaeger that listens on the loopback interface alone.
func StartJaeger(ctx context.Context) (*Jaeger, error) {
	program, err := jaegerProgram()
	if err != nil {
		return nil, err
	}
	process, addresses, err := StartOnPorts(ctx, jaegerAddresses, func(addresses []string) Config {
		return Config{
			Program: program,
			Args:    jaegerArgs(addresses),
			Env:     slices.Concat(WithoutTelemetry(), []string{"SPAN_STORAGE_TYPE=memory"}),
			Ready: func(ctx context.Context) error {
				return getOK(ctx, "http://"+addresses[jaegerAdmin], "http://"+addresses[jaegerQuery]+"/api/services")
			},
		}
	})
	if err != nil {
		return nil, err
	}
	return &Jaeger{
		Process:  process,
		OTLPHTTP: "http://" + addresses[jaegerOTLPHTTP],
		OTLPGRPC: "http://" + addresses[jaegerOTLPGRPC],
		QueryURL: "http://" + addresses[jaegerQuery],
	}, nil
}

// Stop ends Jaeger at once. It has nothing to save, and when asked to end it would
// wait for connections that its clients keep.
func (j *Jaeger) Stop() { j.Kill() }

// jaegerArgs gives every server in Jaeger an address of its own: one that is left
// out listens on its usual port of every interface.
func jaegerArgs(addresses []string) []string {
	return []string{
		"--collector.otlp.http.host-port=" + addresses[jaegerOTLPHTTP],
		"--collector.otlp.grpc.host-port=" + addresses[jaegerOTLPGRPC],
		"--query.http-server.host-port=" + addresses[jaegerQuery],
		"--query.grpc-server.host-port=" + addresses[jaegerQueryGRPC],
		"--admin.http.host-port=" + addresses[jaegerAdmin],
		"--collector.http-server.host-port=" + addresses[jaegerCollectorHTTP],
		"--collector.grpc-server.host-port=" + addresses[jaegerCollectorGRPC],
		"--query.enable-tracing=false", // no spans of its own
		"--log-level=warn",
	}
}

func jaegerProgram() (string, error) {
	if program := os.Getenv(EnvJaeger); program != "" {
		return program, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, "bin", "all-in-one"), nil
}

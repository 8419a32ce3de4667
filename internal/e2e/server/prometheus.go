package server

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// PrometheusConfig says what a Prometheus watches.
type PrometheusConfig struct {
	Targets []string // host:port of each service, whose /metrics is scraped
	Rules   []string // absolute paths of files of rules
	// Interval is the time between two scrapes, and two evaluations of the rules
	// that do not say otherwise, as Prometheus writes it. The default is 250ms: a
	// test waits for several.
	Interval string
}

// Prometheus is a server that scrapes metrics and evaluates rules. Its files are in
// a folder of its own, which Stop removes.
type Prometheus struct {
	*Process

	URL string // where the query API is: a URL without a path
	dir string
}

// StartPrometheus starts a Prometheus that listens on the loopback interface alone.
func StartPrometheus(ctx context.Context, config PrometheusConfig) (*Prometheus, error) {
	dir, err := os.MkdirTemp("", "tiercache-prometheus-")
	if err != nil {
		return nil, fmt.Errorf("server: prometheus: %w", err)
	}
	p, err := startPrometheus(ctx, dir, config)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return p, nil
}

func startPrometheus(ctx context.Context, dir string, config PrometheusConfig) (*Prometheus, error) {
	file := filepath.Join(dir, "prometheus.yml")
	if err := writePrometheusConfig(file, config); err != nil {
		return nil, fmt.Errorf("server: prometheus: %w", err)
	}
	process, addresses, err := StartOnPorts(ctx, 1, func(addresses []string) Config {
		return Config{
			Program: "prometheus",
			Args: []string{
				"--config.file=" + file,
				"--storage.tsdb.path=" + filepath.Join(dir, "data"),
				"--web.listen-address=" + addresses[0],
				"--log.level=warn",
			},
			Dir:   dir,
			Env:   WithoutTelemetry(),
			Ready: func(ctx context.Context) error { return getOK(ctx, "http://"+addresses[0]+"/-/ready") },
		}
	})
	if err != nil {
		return nil, err
	}
	return &Prometheus{Process: process, URL: "http://" + addresses[0], dir: dir}, nil
}

// writePrometheusConfig writes JSON, since that is YAML that needs no care.
func writePrometheusConfig(file string, config PrometheusConfig) error {
	if config.Interval == "" {
		config.Interval = "250ms"
	}
	content, err := json.Marshal(map[string]any{
		"global": map[string]any{
			"scrape_interval":     config.Interval,
			"scrape_timeout":      config.Interval,
			"evaluation_interval": config.Interval,
		},
		"rule_files": config.Rules,
		"scrape_configs": []any{map[string]any{
			"job_name":       "service",
			"static_configs": []any{map[string]any{"targets": config.Targets}},
		}},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

// Stop ends the server as that of Process does, and removes its files.
func (p *Prometheus) Stop() {
	p.Process.Stop()
	_ = os.RemoveAll(p.dir)
}

// Promtool runs Prometheus's checker of rules and configurations, and returns what
// it has printed.
func Promtool(ctx context.Context, args ...string) (string, error) {
	path, err := exec.LookPath("promtool")
	if err != nil {
		return "", fmt.Errorf("server: promtool: %w", ErrMissing)
	}
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput() //nolint:gosec // the tests' own arguments
	if err != nil {
		return string(out), fmt.Errorf("server: promtool: %w", err)
	}
	return string(out), nil
}

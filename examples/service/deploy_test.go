package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Every alert says how bad it is, what is wrong and what to do, and has a test in
// which it fires and one in which it does not.
func TestDeploy_Alerts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("deploy", "prometheus", "tests", "*_test.yml"))
	require.NoError(t, err)
	var tests strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f) //nolint:gosec // of this folder
		require.NoError(t, err)
		tests.Write(data)
	}
	var names []string
	for _, r := range readRules(t) {
		if r.Alert == "" {
			continue
		}
		names = append(names, r.Alert)
		assert.Contains(t, []string{"warning", "critical"}, r.Labels["severity"], r.Alert)
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.Greater(t, len(r.Annotations["description"]), 100, r.Alert)
		assert.GreaterOrEqual(t, strings.Count(tests.String(), r.Alert), 2, r.Alert)
	}
	assert.Equal(t, []string{
		"TiercacheConsistencyBurnsFast", "TiercacheConsistencyBurnsSlowly",
		"TiercacheInconsistent", "TiercacheNotRepaired", "TiercacheL2Failing", "TiercacheL2Abandoned", "TiercacheL2Slow",
		"TiercacheHitRateDropping", "TiercacheCoherenceLost", "TiercacheCoherenceGaps", "TiercacheStaleReads",
		"TiercacheMetricsOverflow",
	}, names)
}

// The dashboard shows what the alerts are about, by panels of different names.
func TestDeploy_Dashboard(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	panels := make(map[string]string)
	for _, p := range d.Panels {
		panels[p.Type+" "+p.Title] = p.Title
		assert.Equal(t, p.Type == "alertlist", len(p.Targets) == 0, p.Title)
	}
	assert.Len(t, panels, len(d.Panels))
	for _, want := range []string{
		"alertlist Alerts", "timeseries Inconsistencies", "timeseries Writes of the tiers", "timeseries L2 latency",
		"timeseries Hit rate", "timeseries Reads", "timeseries Lock wait", "timeseries Age of stale answers",
		"timeseries Share of inconsistent writes", "timeseries Loads", "timeseries Operations",
		"timeseries Instances without coherence", "timeseries Gaps in the log", "timeseries Age of sync", "timeseries Stale reads",
	} {
		assert.Contains(t, panels, want)
	}
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	assert.Equal(t, []string{"datasource", "cache"}, variables)

	// The descriptions of the alerts send their readers to panels.
	for _, r := range readRules(t) {
		for _, m := range regexp.MustCompile(`panel "([^"]+)"`).FindAllStringSubmatch(r.Annotations["description"], -1) {
			assert.Contains(t, panels, "timeseries "+m[1], r.Alert)
		}
	}
}

// pinned is the form of an image's name with its version and its digest.
const pinned = `:v?\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}$`

// Images have versions and digests, ports are published on the loopback interface alone, and
// what is mounted is there.
func TestDeploy_Compose(t *testing.T) {
	t.Parallel()
	var compose struct {
		Services map[string]struct {
			Image          string
			Build          struct{ Context, Dockerfile string }
			Command        []string
			Ports, Volumes []string
			Environment    map[string]string
		}
	}
	readYAML(t, &compose, "compose.yaml")
	assert.Len(t, compose.Services, 5)
	for name, s := range compose.Services {
		if s.Image != "" {
			assert.Regexp(t, pinned, s.Image, name)
		}
		for _, port := range s.Ports {
			assert.Regexp(t, `^127\.0\.0\.1:\d+:\d+$`, port, name)
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			assert.True(t, strings.HasSuffix(volume, ":ro"), volume)
			_, err := os.Stat(filepath.Join("deploy", from))
			assert.NoError(t, err, name)
		}
	}
	service := compose.Services["service"]
	dockerfile, err := os.ReadFile(filepath.Join("deploy", "Dockerfile"))
	require.NoError(t, err)
	build := regexp.MustCompile(`(?m)^FROM (\S+) AS build$`).FindStringSubmatch(string(dockerfile))
	require.Len(t, build, 2)
	assert.Regexp(t, pinned, build[1])
	_, err = os.Stat(filepath.Join("deploy", service.Build.Context, service.Build.Dockerfile))
	require.NoError(t, err)
	opts, err := parseOptions(service.Command, noEnv)
	require.NoError(t, err)
	assert.Equal(t, []string{"redis:6379"}, opts.redis)
	assert.Equal(t, 3, opts.instances)
	assert.True(t, opts.faults)
	for i := range opts.instances {
		each := opts.ofInstance(i)
		for _, addr := range []string{each.listen, each.metricsListen} {
			_, port, err := net.SplitHostPort(addr)
			require.NoError(t, err)
			assert.Contains(t, service.Ports, "127.0.0.1:"+port+":"+port)
		}
	}
	assert.Equal(t, "http://jaeger:4318", service.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"])

	var config struct {
		ScrapeConfigs []struct {
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, &config, "prometheus", "prometheus.yml")
	assert.Equal(t, []string{"service:8081", "service:8091", "service:8101"}, config.ScrapeConfigs[0].StaticConfigs[0].Targets)

	// Grafana finds the dashboard where it is mounted.
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, &provider, "grafana", "provisioning", "dashboards", "dashboards.yml")
	assert.Contains(t, compose.Services["grafana"].Volumes, "./grafana/dashboards:"+provider.Providers[0].Options.Path+":ro")
}

func readYAML(t *testing.T, into any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"deploy"}, path...)...))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into))
}

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

func readRules(t *testing.T) (rules []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, &file, "prometheus", "rules.yml")
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

type dashboard struct {
	UID        string
	Templating struct {
		List []struct {
			Name       string
			Definition string
		}
	}
	Panels []struct {
		Type, Title string
		Targets     []struct{ Expr string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("deploy", "grafana", "dashboards", "tiercache.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &d))
	return d
}

func dashboardExprs(t *testing.T) (exprs []string) {
	t.Helper()
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			exprs = append(exprs, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			exprs = append(exprs, v.Definition)
		}
	}
	return exprs
}

package service_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// TestFirstInconsistency has one inconsistency, the first since the service began. Its
// series begins with 1, in which increase() sees no increase: an alert that only asks
// for that would be silent. Nobody else uses the connections of the pool meanwhile, so the
// write finds one, and its outcome is unknown.
func TestFirstInconsistency(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	users := startService(t, settings{redis: redis, args: []string{"-coherence", "0"}})
	prometheus := startPrometheus(t, server.PrometheusConfig{
		Targets: []string{users.metrics}, Rules: []string{deployed(t, "rules.yml")},
	})
	awaitScrape(t, prometheus.URL)

	users.warmUp(t)
	during(t, redis, func() { users.put(t, "ada", "Ada") })
	loaded := awaitRules(t, prometheus.URL)
	eventually(t, func() error { return alerted(t, prometheus.URL, loaded) })
	counted, err := total(t.Context(), prometheus.URL, `sum(tiercache_inconsistencies_total)`)
	require.NoError(t, err)
	assert.InDelta(t, 1, counted, 0)
}

// alerted returns an error unless an alert that watches the inconsistencies is pending
// or firing.
func alerted(t *testing.T, prometheusURL string, loaded []rule) error {
	t.Helper()
	var watching []string
	for _, r := range loaded {
		if r.Type != "alerting" || !slices.ContainsFunc(selectors(r.Query), isInconsistencies) {
			continue
		}
		watching = append(watching, r.Query)
		found, err := evaluate(t.Context(), prometheusURL, fmt.Sprintf(`ALERTS{alertname=%q}`, r.Name))
		if err != nil || len(found) > 0 {
			return err
		}
	}
	return fmt.Errorf("no alert of these is pending or firing: %q", watching)
}

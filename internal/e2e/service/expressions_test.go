package service_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// TestExpressions loads the example's rules into a Prometheus that scrapes the service,
// makes happen what they watch, and evaluates every expression of the rules, of the
// dashboard and of docs/operations.md. Tests by invented series cannot tell that a name or a
// label is not what the service says: here each selector has to find something.
func TestExpressions(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	users := startService(t, settings{redis: redis})
	prometheus := startPrometheus(t, server.PrometheusConfig{
		Targets: []string{users.metrics}, Rules: []string{deployed(t, "rules.yml")},
	})
	awaitScrape(t, prometheus.URL) // what is there from the start must be seen before it changes

	users.put(t, "ada", "Ada")
	users.get(t, "ada")
	users.get(t, "42")
	users.request(t, http.MethodGet, "nobody", "", http.StatusNotFound)
	during(t, redis, func() {
		users.put(t, "ada", "Ada King")
		users.get(t, "43")
	})

	for _, r := range awaitRules(t, prometheus.URL) {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			evaluates(t, prometheus.URL, r.Query)
			if r.Type == "recording" { // an alert has no series, most of the time
				awaitSeries(t, prometheus.URL, r.Query)
			}
		})
	}
	for _, p := range dashboard(t) {
		t.Run(p.Title, func(t *testing.T) {
			t.Parallel()
			for _, target := range p.Targets {
				evaluates(t, prometheus.URL, filled(target.Expression))
			}
		})
	}
	for name, expression := range documentedAlerts(t) {
		t.Run("docs "+name, func(t *testing.T) {
			t.Parallel()
			evaluates(t, prometheus.URL, expression)
		})
	}
}

// unseen is what no test here makes happen, with the reason.
var unseen = map[string]string{
	`tiercache_operation_duration_seconds_count{tiercache_cache_name=~".*", tiercache_operation_name="load", error_type!=""}`: "the example's database does not fail",
	`tiercache_write_detached`: "the example's policy leaves no writes behind",
	`tiercache_tier_operation_duration_seconds_count{otel_metric_overflow="true"}`:                    "there are few series",
	`tiercache_operation_duration_seconds_count{otel_metric_overflow="true"}`:                         "there are few series",
	`tiercache_tier_operation_duration_seconds_count{error_type="canceled",tiercache_tier_name="l2"}`: "no caller leaves",
	`tiercache_stale_age_seconds_bucket{tiercache_cache_name=~".*"}`:                                  "the example serves nothing that has expired",
	`tiercache_invalidation_lag_seconds_bucket{tiercache_cache_name=~".*"}`:                           "there is one instance",
	`tiercache_lock_wait_duration_seconds_bucket{tiercache_cache_name=~".*"}`:                         "no two writers of a key meet",
}

// evaluates requires that an expression is one, and waits until there is something
// for each of its selectors.
func evaluates(t *testing.T, prometheusURL, expression string) {
	t.Helper()
	_, err := evaluate(t.Context(), prometheusURL, expression)
	require.NoError(t, err)
	all := selectors(expression)
	require.NotEmpty(t, all, expression)
	for _, s := range all {
		if unseen[s] == "" {
			awaitSeries(t, prometheusURL, s)
		}
	}
}

// awaitRules returns the rules of all groups, once Prometheus has evaluated all of them
// without an error.
func awaitRules(t *testing.T, prometheusURL string) (loaded []rule) {
	t.Helper()
	eventually(t, func() error {
		groups, err := rules(t.Context(), prometheusURL)
		if err != nil {
			return err
		}
		loaded, err = healthy(groups)
		return err
	})
	return loaded
}

// healthy returns an error unless there are rules and each of them was evaluated.
func healthy(groups []ruleGroup) (all []rule, err error) {
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Health != "ok" {
				return nil, fmt.Errorf("rule %s of group %s: %s %s", r.Name, g.Name, r.Health, r.LastError)
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%d groups have no rules", len(groups))
	}
	return all, nil
}

package service_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// kind is what the event and the metric both say of an inconsistency.
type kind struct{ operation, staleTier, resolved string }

// TestSignalsAgree counts the inconsistencies of a service twice, by its metric in
// Prometheus and by its events in Jaeger. Whoever is called by an alert must find a
// trace for each. Repairs, which fail while Redis hangs, add none.
func TestSignalsAgree(t *testing.T) {
	t.Parallel()
	jaeger, redis := startJaeger(t), startRedis(t)
	users := startService(t, settings{redis: redis, otlp: jaeger.OTLPHTTP})
	prometheus := startPrometheus(t, server.PrometheusConfig{Targets: []string{users.metrics}})

	users.put(t, "healthy", "Ada")
	users.put(t, "ada", "Ada")
	users.put(t, "grace", "Grace")
	during(t, redis, func() {
		users.request(t, http.MethodDelete, "grace", "", http.StatusNoContent)
		users.put(t, "ada", "Ada King")
		users.get(t, "42")
	})
	// Of the delete nobody knows whether Redis has it. The put was certainly not sent, so
	// the tiers are equal and older than the database, and the third is in L1 alone. All are
	// repaired, so that nothing changes any more.
	eventually(t, func() error {
		repaired, err := total(t.Context(), prometheus.URL, `sum(tiercache_repairs_total)`)
		if err == nil && repaired < 3 {
			err = fmt.Errorf("%v of 3 keys are repaired", repaired)
		}
		return err
	})

	var measured map[kind]int
	eventually(t, func() error {
		var err error
		if measured, err = measuredKinds(t.Context(), prometheus.URL); err != nil {
			return err
		}
		traced, err := tracedKinds(t.Context(), jaeger.QueryURL, users.name)
		if err == nil && !maps.Equal(measured, traced) {
			err = fmt.Errorf("the metric has %v, the traces have %v", measured, traced)
		}
		return err
	})
	assert.Equal(t, map[kind]int{{"set", "l2", "false"}: 1, {"delete", "l1", "false"}: 1}, measured)
	require.Empty(t, labelled(t, prometheus.URL, "grace"), "keys are in no label")
}

// measuredKinds counts by the metric.
func measuredKinds(ctx context.Context, prometheusURL string) (map[kind]int, error) {
	found, err := evaluate(ctx, prometheusURL, `tiercache_inconsistencies_total{tiercache_cache_name="users"}`)
	if err != nil {
		return nil, err
	}
	kinds := map[kind]int{}
	for _, s := range found {
		value, err := s.value()
		if err != nil {
			return nil, err
		}
		if value == 0 {
			continue // all series begin so
		}
		l := s.Labels
		kinds[kind{l["tiercache_operation_name"], l["tiercache_inconsistency_stale_tier"], l["tiercache_inconsistency_resolved"]}] += int(value)
	}
	return kinds, nil
}

// tracedKinds counts by the events in the traces that a search for diverged writes
// finds.
func tracedKinds(ctx context.Context, jaegerURL, service string) (map[kind]int, error) {
	found, err := findTraces(ctx, jaegerURL, service, diverged)
	if err != nil {
		return nil, err
	}
	kinds := map[kind]int{}
	for i := range found {
		for _, e := range found[i].events("tiercache.inconsistency") {
			kinds[kind{
				e.Fields.get("tiercache.operation.name"), e.Fields.get("tiercache.inconsistency.stale_tier"), e.Fields.get("tiercache.inconsistency.resolved"),
			}]++
		}
	}
	return kinds, nil
}

// labelled returns the series of which some label has a value.
func labelled(t *testing.T, prometheusURL, value string) (found []series) {
	t.Helper()
	all, err := evaluate(t.Context(), prometheusURL, `{__name__=~".+"}`)
	require.NoError(t, err)
	for _, s := range all {
		for _, v := range s.Labels {
			if v == value {
				found = append(found, s)
			}
		}
	}
	return found
}

package service_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"testing"
)

// The part of Prometheus' query API that is used here.
type (
	series struct {
		Labels map[string]string `json:"metric"`
		Sample [2]any            `json:"value"` // its time and, as text, its value
	}

	ruleGroup struct {
		Name  string `json:"name"`
		File  string `json:"file"`
		Rules []rule `json:"rules"`
	}

	rule struct {
		Name      string `json:"name"`
		Type      string `json:"type"` // alerting, recording
		Query     string `json:"query"`
		Health    string `json:"health"` // ok, unknown (not yet evaluated), err
		LastError string `json:"lastError"`
		State     string `json:"state"` // of an alert: inactive, pending, firing
	}
)

// value returns the value of the series' sample.
func (s *series) value() (float64, error) {
	text, ok := s.Sample[1].(string)
	if !ok {
		return 0, fmt.Errorf("no sample: %v", s.Sample)
	}
	return strconv.ParseFloat(text, 64)
}

// evaluate returns the series of an expression that selects or computes series, as
// of now.
func evaluate(ctx context.Context, prometheusURL, expression string) ([]series, error) {
	answer, err := query[struct {
		Data struct {
			Result []series `json:"result"`
		} `json:"data"`
	}](ctx, prometheusURL+"/api/v1/query", url.Values{"query": {expression}})
	return answer.Data.Result, err
}

// total returns the value of an expression that has one series; 0 if it has none.
func total(ctx context.Context, prometheusURL, expression string) (float64, error) {
	found, err := evaluate(ctx, prometheusURL, expression)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if len(found) > 1 {
		return 0, fmt.Errorf("%s has %d series", expression, len(found))
	}
	return found[0].value()
}

// rules returns the groups of rules that Prometheus has loaded.
func rules(ctx context.Context, prometheusURL string) ([]ruleGroup, error) {
	answer, err := query[struct {
		Data struct {
			Groups []ruleGroup `json:"groups"`
		} `json:"data"`
	}](ctx, prometheusURL+"/api/v1/rules", nil)
	return answer.Data.Groups, err
}

// awaitSeries waits until an expression has a series.
func awaitSeries(t *testing.T, prometheusURL, expression string) {
	t.Helper()
	eventually(t, func() error {
		found, err := evaluate(t.Context(), prometheusURL, expression)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("%s has no series", expression)
		}
		return err
	})
}

// awaitScrape waits until Prometheus has the metrics of its target.
func awaitScrape(t *testing.T, prometheusURL string) {
	t.Helper()
	awaitSeries(t, prometheusURL, `up == 1`)
}

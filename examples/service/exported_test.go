package main

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// The expressions of the alerts, and those of the dashboard, name nothing that
// the service does not export.
func TestDeploy_ExpressionsNameWhatIsExported(t *testing.T) {
	t.Parallel()
	have := exported(t)
	rules := readRules(t)
	for _, r := range rules {
		if r.Record != "" {
			have[r.Record] = have["tiercache_lookups_total"] // made of it and the like
		}
	}
	for name := range have {
		if _, ok := have[name]["error_type"]; ok {
			have[name]["otel_metric_overflow"] = nil // of the SDK, where there are too many series
		}
	}
	// Of caches with WithStaleIfError; this one has none.
	have["tiercache_stale_age_seconds_bucket"] = have["tiercache_lock_wait_duration_seconds_bucket"]
	have["ALERTS"] = labelsOf{"alertname": nil, "alertstate": nil, "tiercache_cache_name": nil}
	exprs := dashboardExprs(t)
	for _, r := range rules {
		exprs = append(exprs, r.Expr)
	}
	require.Greater(t, len(exprs), 25)
	for _, expr := range exprs {
		for _, problem := range have.problems(expr) {
			assert.Fail(t, problem, expr)
		}
	}
}

// The test above finds what it is there for.
func TestDeploy_ProblemsAreFound(t *testing.T) {
	t.Parallel()
	have := metrics{"m_total": {"kind": {"a"}, "le": nil}, "n": {"other": nil}}
	for expr, want := range map[string]string{
		`rate(k_total[5m])`:                    "k_total is not exported",
		`sum by (kid) (rate(m_total[5m]))`:     "kid is no label",
		`m_total{other="x"}`:                   "m_total has no label other",
		`m_total{kind="b"}`:                    `m_total has no kind="b"`,
		`label_values(m_total, nothing)`:       "nothing is no label",
		`m_total{kind="a"} and on (wrong) n`:   "wrong is no label",
		`avg_over_time(recorded:m:rate5m[1h])`: "recorded:m:rate5m is not exported",
		`sum by (kind, le) (m_total{kind="a"}) > 0.1 unless n offset 5m or vector(0)`: "",
		`m_total{kind=~"$cache", kind!="b"}`:                                          "",
	} {
		var wants []string
		if want != "" {
			wants = []string{want}
		}
		assert.Equal(t, wants, have.problems(expr), expr)
	}
}

// A flood of types of errors ends in one series that says so: the alert on it is about
// the label that the SDK gives it.
func TestMetrics_Overflow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *options) { o.databaseDelay = 0 })
	get := func(from, to int) string {
		for i := from; i < to; i++ {
			f.l2.Next(tier.Get, backendtest.FailBefore(typedError(i)))
			f.do(t, "GET", "/users/"+strconv.Itoa(2000+i), "")
		}
		return f.do(t, "GET", "/metrics", "").Body.String()
	}
	const overflow = `tiercache_tier_operation_duration_seconds_count{otel_metric_overflow="true"}`
	assert.NotContains(t, get(0, 1900), overflow)
	assert.Contains(t, get(1900, 2100), overflow)
}

type typedError int

func (e typedError) Error() string     { return "down" }
func (e typedError) ErrorType() string { return "type_" + strconv.Itoa(int(e)) }

// exported drives a service so that it exports all it has: L2 works, then it
// refuses, then it loses answers. It returns its metrics.
func exported(t *testing.T) metrics {
	t.Helper()
	have := make(metrics)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *options) { o.coherence = time.Second })
		<-f.log.Watched()
		for _, fault := range []backendtest.Fault{
			nil, backendtest.FailBefore(errors.New("down")), backendtest.Lose(errors.New("lost")),
			backendtest.FailBefore(context.Canceled),
		} {
			require.NoError(t, f.others.Delete(t.Context(), "1"))
			require.True(t, f.log.Sync())
			for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
				f.l2.Always(call, fault)
			}
			f.do(t, "GET", "/users/1", "")
			f.do(t, "GET", "/users/1", "")
			f.do(t, "PUT", "/users/2", `{"name":"Ada"}`)
			f.do(t, "DELETE", "/users/1", "")
			f.do(t, "GET", "/users/1001", "")
		}
		f.l2.Always(tier.Set, backendtest.Delay(time.Millisecond))
		for range 2 { // one waits for the other
			go f.do(t, "PUT", "/users/3", `{"name":"Ada"}`)
		}
		time.Sleep(time.Second) // entries expire: nothing is left to be exported
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(f.do(t, "GET", "/metrics", "").Body)
		require.NoError(t, err)
		for name, family := range families {
			labels := make(labelsOf)
			for _, m := range family.GetMetric() {
				for _, l := range m.GetLabel() {
					labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
				}
			}
			names := []string{name}
			if family.GetType().String() == "HISTOGRAM" {
				labels["le"] = nil
				names = []string{name + "_bucket", name + "_sum", name + "_count"}
			}
			for _, n := range names {
				have[n] = labels
			}
		}
	})
	return have
}

// metrics are the labels of each metric, and labelsOf the values of each label:
// nil for those that are not looked at.
type (
	metrics  map[string]labelsOf
	labelsOf map[string][]string
)

var (
	quoted     = regexp.MustCompile(`"[^"]*"`)
	durations  = regexp.MustCompile(`\[[^\]]*\]|offset\s+\S+|\b\d[\w.]*`)
	selector   = regexp.MustCompile(`([a-zA-Z_:][\w:]*)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	labelList  = regexp.MustCompile(`\b(?:by|on)\s*\(([^)]*)\)|,\s*(\w+)\)$`) // the last is that of label_values
	identifier = regexp.MustCompile(`[a-zA-Z_:][\w:]*`)
	comment    = regexp.MustCompile(`(?m)#.*$`)
	words      = strings.Fields(`sum by on rate increase histogram_quantile avg_over_time min_over_time
		label_values vector or and unless offset last_over_time sum_over_time clamp_min time max`)
)

// problems says what in an expression is not exported: metrics, labels, and
// values of labels that are asked for exactly.
func (m metrics) problems(expr string) (problems []string) {
	expr = comment.ReplaceAllString(expr, "")
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		labels, ok := m[s[1]]
		for _, match := range matcher.FindAllStringSubmatch(s[2], -1) {
			label, op, value := match[1], match[2], match[3]
			values, has := labels[label]
			switch {
			case ok && !has:
				problems = append(problems, s[1]+" has no label "+label)
			case op == "=" && values != nil && !slices.Contains(values, value):
				problems = append(problems, s[1]+" has no "+match[0])
			}
		}
	}
	rest := selector.ReplaceAllString(expr, "$1 ")
	for _, list := range labelList.FindAllStringSubmatch(rest, -1) {
		for _, label := range identifier.FindAllString(list[1]+" "+list[2], -1) {
			if !m.hasLabel(label) {
				problems = append(problems, label+" is no label")
			}
		}
	}
	rest = durations.ReplaceAllString(quoted.ReplaceAllString(labelList.ReplaceAllString(rest, " "), " "), " ")
	for _, name := range identifier.FindAllString(rest, -1) {
		if _, ok := m[name]; !ok && !slices.Contains(words, name) {
			problems = append(problems, name+" is not exported")
		}
	}
	return problems
}

func (m metrics) hasLabel(label string) bool {
	if label == "job" || label == "instance" { // those of Prometheus
		return true
	}
	for _, labels := range m {
		if _, ok := labels[label]; ok {
			return true
		}
	}
	return false
}

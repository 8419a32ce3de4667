package service_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	grouping = regexp.MustCompile(`\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	selector = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\s*\{[^}]*\}|\b[a-zA-Z]\w*[:_][\w:]+\b|\bup\b`)
	function = regexp.MustCompile(`\b[a-z0-9_]+\s*\(`)
)

// selectors returns what an expression selects, without the ranges: names of metrics
// with their matchers. A metric without matchers is known by an underscore or a colon in its name.
func selectors(expression string) []string {
	expression = grouping.ReplaceAllString(expression, "")
	expression = function.ReplaceAllString(expression, "(")
	var found []string
	for _, s := range selector.FindAllString(expression, -1) {
		found = append(found, strings.TrimSpace(s))
	}
	return found
}

func isInconsistencies(selector string) bool {
	return strings.HasPrefix(selector, "tiercache_inconsistencies_total") ||
		strings.HasPrefix(selector, "tiercache:inconsistencies:") // recorded from it
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		`detached_writes > 100`: {`detached_writes`},
		`histogram_quantile(0.99, sum by (le, cache_name) (rate(duration_seconds_bucket{tier="l2"}[5m]))) > 0.1`: {
			`duration_seconds_bucket{tier="l2"}`,
		},
		`sum by (a_b) (rate(x_total{r="hit"}[5m])) / on (a_b) sum (rate(x_total[5m])) < 0.5`: {`x_total{r="hit"}`, `x_total`},
		`up == 0 and on(job) y_count offset 5m`:                                              {`up`, `y_count`},
		`0 * sum by (job) (a:b:rate5m) > 0 or min_over_time(c_d[1m])`:                        {`a:b:rate5m`, `c_d`},
	} {
		assert.Equal(t, want, selectors(expression), expression)
	}
}

package readpolicytest

import "testing"

// Violations returns what Run would report.
func (s Suite) Violations(t *testing.T) (violations []error) {
	t.Helper()
	for _, c := range s.checks() {
		violations = append(violations, c.run(t)...)
	}
	return violations
}

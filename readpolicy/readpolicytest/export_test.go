package readpolicytest

import (
	"testing"

	"github.com/tiercache/tiercache/internal/conformance"
)

// Violations returns what Run would report.
func (s Suite) Violations(t *testing.T) []error {
	t.Helper()
	return conformance.Violations(t, s.checks())
}

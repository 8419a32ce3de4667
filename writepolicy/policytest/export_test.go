package policytest

import (
	"testing"

	"github.com/tiercache/tiercache/internal/conformance"
)

// Violations returns the reports of Run.
func (s Suite) Violations(t *testing.T) []error {
	t.Helper()
	return conformance.Violations(t, s.checks())
}

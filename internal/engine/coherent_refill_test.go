package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// A read tells what became of its refill.
func TestCoherence_RefillOutcome(t *testing.T) {
	t.Parallel()
	for want, run := range map[string]func(t *testing.T, here, there *instance){
		"applied": func(t *testing.T, here, _ *instance) {
			assert.Equal(t, "old (l2)", here.read(t))
		},
		"fenced": func(t *testing.T, here, there *instance) {
			gate := backendtest.NewGate()
			here.l1.Next(tier.Set, gate.Before())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() {
				there.set(t, "new")
				here.client.Deliver(-1)
			})
		},
		"failed": func(t *testing.T, here, _ *instance) {
			here.l1.Next(tier.Set, refuse)
			assert.Equal(t, "old (l2)", here.read(t))
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			rec := tiercachetest.NewRecorder()
			two(t, func(t *testing.T, _ *store, here, there *instance) {
				there.set(t, "old")
				require.True(t, here.client.Sync())
				run(t, here, there)
				assert.Contains(t, rec.Tree(), string(tracing.AttrRefill)+"="+want)
			}, rec.Options()...)
		})
	}
}

package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// While the key of a delete is open, readers find none. One that has L2's copy when a repair
// removes that, and closes the key, does not return what the readers before it did not find.
func TestRepair_EndsWhileAReadIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read func(t *testing.T, here *instance) string
		hold func(here *instance, gate *backendtest.Gate) // the next answer of L2 about k
	}{
		"a single read": {
			func(t *testing.T, here *instance) string {
				t.Helper()
				return here.read(t)
			},
			func(here *instance, gate *backendtest.Gate) { here.l2.Next(tier.Get, gate.After()) },
		},
		"a batch": {
			func(t *testing.T, here *instance) string {
				t.Helper()
				got, err := here.GetMany(t.Context(), []string{"j", "k"})
				require.NoError(t, err)
				if !got[1].OK {
					return "none"
				}
				return got[1].Value
			},
			func(here *instance, gate *backendtest.Gate) { here.l2.NextAt(tier.Get, 1, gate.After()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
				here.down()
				require.Error(t, here.Delete(t.Context(), "k"))
				synctest.Wait()
				here.up()
				assert.Equal(t, "none", test.read(t, here))
				gate := backendtest.NewGate()
				test.hold(here, gate)
				during(t, gate,
					func() { assert.Equal(t, "none", test.read(t, here)) },
					func() { require.NoError(t, here.Repair(t.Context(), "k")) })
				assert.Equal(t, []string{"applied"}, r.take())
				sync2(t, here, there)
			})
		})
	}
}

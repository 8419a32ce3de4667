package engine_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
)

// endingReads are the ways to read "k". Before is how many other keys stand before it in a batch.
func endingReads() map[string]struct {
	read   func(t *testing.T, here *instance) string
	before int
} {
	get := func(opts ...tiercache.ReadOption) func(t *testing.T, here *instance) string {
		return func(t *testing.T, here *instance) string {
			t.Helper()
			value, ok, err := here.Get(t.Context(), "k", opts...)
			require.NoError(t, err)
			return valueOrNone(value, ok)
		}
	}
	return map[string]struct {
		read   func(t *testing.T, here *instance) string
		before int
	}{
		"Get":      {get(), 0},
		"SkipL1":   {get(tiercache.SkipL1()), 0},
		"GetEntry": {func(t *testing.T, here *instance) string { t.Helper(); return here.read(t) }, 0},
		"GetOrLoad": {func(t *testing.T, here *instance) string {
			t.Helper()
			value, err := here.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
				return "", tiercache.ErrNotFound
			})
			return valueOrNone(value, err == nil)
		}, 0},
		"GetOrLoadMany": {func(t *testing.T, here *instance) string {
			t.Helper()
			got, err := here.GetOrLoadMany(t.Context(), []string{"k"}, 0, func(context.Context, []string) (map[string]string, error) {
				return nil, nil
			})
			require.NoError(t, err)
			return valueOrNone(got[0].Value, got[0].OK)
		}, 0},
		"GetMany": {func(t *testing.T, here *instance) string {
			t.Helper()
			got, err := here.GetMany(t.Context(), []string{"j", "k"})
			require.NoError(t, err)
			return valueOrNone(got[1].Value, got[1].OK)
		}, 1},
	}
}

func valueOrNone(value string, ok bool) string {
	if !ok {
		return "none"
	}
	return value
}

// While the key of a delete is open, readers find none. One that has L2's copy when a repair
// removes that, and closes the key, does not return what the readers before it did not find.
func TestRepair_EndsWhileAReadIsUnderWay(t *testing.T) {
	t.Parallel()
	for policy, opt := range map[string]tiercache.Option{
		"sequential": nil, "parallel": tiercache.WithReadPolicy(readpolicy.Parallel()), "race": tiercache.WithReadPolicy(readpolicy.Race()),
	} {
		for name, test := range endingReads() {
			t.Run(policy+", "+name, func(t *testing.T) {
				t.Parallel()
				repaired(t, func(t *testing.T, _ *store, here, there *instance, r *resolutions) {
					here.down()
					require.Error(t, here.Delete(t.Context(), "k"))
					synctest.Wait()
					here.up()
					assert.Equal(t, "none", test.read(t, here))
					gate := backendtest.NewGate()
					if test.before == 0 {
						here.l2.Next(tier.Get, gate.After())
					} else {
						here.l2.NextAt(tier.Get, test.before, gate.After())
					}
					during(t, gate,
						func() { assert.Equal(t, "none", test.read(t, here)) },
						func() { require.NoError(t, here.Repair(t.Context(), "k")) })
					assert.Equal(t, []string{"applied"}, r.take())
					sync2(t, here, there)
				}, opt)
			})
		}
	}
}

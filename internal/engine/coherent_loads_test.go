package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// A loaded row that another process has overtaken is kept out before the message of its
// change has arrived. Coherence alone keeps it out only afterwards.
func TestCoherence_ConditionalLoads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercache.Option
		want string // there
		left string // here
	}{
		"on":  {[]tiercache.Option{tiercache.WithConditionalLoads()}, "none", ""},
		"off": {nil, "old (l2)", "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, _ *store, here, there *instance) {
				got, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, key string) (string, error) {
					return "old", there.Delete(ctx, key)
				})
				require.NoError(t, err)
				assert.Equal(t, "old", got)
				assert.Equal(t, test.want, there.read(t), "L2")
				require.True(t, here.client.Sync()) // now the message arrives
				got, _, err = here.Get(t.Context(), "k")
				require.NoError(t, err)
				assert.Equal(t, test.left, got)
			}, test.opts...)
		})
	}
}

// A load whose outcome in L2 is unknown is repaired, as ever.
func TestCoherence_ConditionalLoadOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		here.l2.Next(tier.Set, backendtest.ApplyThenFail(errDown))
		got, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "v", nil })
		require.NoError(t, err)
		assert.Equal(t, "v", got)
		time.Sleep(time.Second) // the key is repaired
		synctest.Wait()
		assert.Equal(t, "v (l2)", there.read(t))
		assert.Equal(t, "v (l2)", here.read(t), "L1 does not have it")
		there.set(t, "new")
		require.True(t, here.client.Sync())
		assert.Equal(t, "new (l2)", here.read(t))
	}, tiercache.WithConditionalLoads())
}

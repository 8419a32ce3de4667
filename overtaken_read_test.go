package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// A read is overtaken by a Set after it has asked L2, and returns the new value from
// L1. A refill is reported only if there would have been one.
func TestRefill_OvertakenRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refill tiercache.Refill
		l2     string // before the Set
		want   string // the outcome that the span has
	}{
		"L2 has the old value":            {tiercache.RefillAlways, "old", "fenced"},
		"L2 has the old value, no refill": {tiercache.RefillNever, "old", ""},
		"L2 has nothing":                  {tiercache.RefillAlways, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newRecorder()
			f := newFixture(t, append(c.options(), tiercache.WithRefill(test.refill))...)
			if test.l2 != "" {
				require.NoError(t, f.Map2.Set(t.Context(), "k", backends.Entry[string]{Value: test.l2}))
			}
			f.L2.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
				err := next(ctx)
				assert.NoError(t, f.Set(t.Context(), "k", "new", 0))
				return err
			})
			value, ok, err := f.Get(t.Context(), "k")
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, "new", value)
			got := ""
			for _, span := range c.Spans() {
				for _, kv := range span.Attributes() {
					if kv.Key == tracing.AttrRefill {
						got = kv.Value.AsString()
					}
				}
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// A read that asks both tiers at once asks each of them once, also when it is overtaken.
func TestConcurrentRead_Overtaken(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]readpolicy.Policy{"race": readpolicy.Race(), "parallel": readpolicy.Parallel()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := held(t, tiercache.WithReadPolicy(p))
				f.L2.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
					time.Sleep(time.Second)
					err := next(ctx)
					assert.NoError(t, f.Set(t.Context(), "k", "new", 0))
					return err
				})
				value, _, err := f.Get(t.Context(), "k")
				require.NoError(t, err)
				assert.Equal(t, "old", value, "it began before the write")
				assert.Equal(t, 1, f.L1.Calls(tier.Get))
				assertHolds(t, f, "new", "new")
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

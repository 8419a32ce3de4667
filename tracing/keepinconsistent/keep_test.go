package keepinconsistent_test

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
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// Operations of an unsampled trace, and which of their spans are exported.
func TestProcessor_Keeps(t *testing.T) {
	t.Parallel()
	refused := backendtest.FailBefore(errRefused)
	late := func(fault backendtest.Fault) backendtest.Fault {
		return backendtest.Chain(backendtest.Delay(2*time.Second), fault)
	}
	set := func(t *testing.T, f *fixture) { t.Helper(); _ = f.cache.Set(t.Context(), "k", "v", 0) }
	load := func(t *testing.T, f *fixture) {
		t.Helper()
		v, err := f.cache.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "v", nil })
		require.NoError(t, err)
		assert.Equal(t, "v", v)
	}
	race, all, failures := writepolicy.Race(), tracing.TierSpansAll, tracing.TierSpansFailures
	for name, tt := range map[string]struct {
		policy writepolicy.Policy
		spans  tracing.TierSpans
		l1, l2 backendtest.Fault
		run    func(t *testing.T, f *fixture)
		kept   []string
	}{
		"a set":                          {nil, all, nil, nil, set, nil},
		"a set that no tier applied":     {nil, all, refused, nil, set, nil},
		"a set that L2 refused":          {nil, all, nil, refused, set, []string{"set users", "set users l1", "set users l2"}},
		"the same, with few spans":       {nil, failures, nil, refused, set, []string{"set users", "set users l2"}},
		"a load":                         {nil, all, nil, nil, load, nil},
		"a load that L2 refused":         {nil, all, nil, refused, load, []string{"get users", "get users l2", "load users", "set users", "set users l1", "set users l2"}},
		"a difference that was resolved": {writepolicy.Sequential(writepolicy.InvalidateL1()), all, nil, refused, set, []string{"invalidate users l1", "set users", "set users l1", "set users l2"}},
		"a late success":                 {race, all, nil, backendtest.Delay(2 * time.Second), set, nil},
		"a late success, few spans":      {race, failures, nil, backendtest.Delay(2 * time.Second), set, nil},
		"a late failure":                 {race, all, nil, late(refused), set, []string{"set users", "set users l1", "set users l2"}},
		"a late failure, few spans":      {race, failures, nil, late(refused), set, []string{"set users", "set users l2"}},
		"a late failure in a load":       {race, failures, nil, late(refused), load, []string{"get users", "load users", "set users", "set users l2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []tiercache.Option{}
				if tt.policy != nil {
					opts = append(opts, tiercache.WithWritePolicy(tt.policy))
				}
				f := newFixture(t, never(), nil, tt.spans, opts...)
				f.l1.Always(tier.Set, tt.l1)
				f.l2.Always(tier.Set, tt.l2)
				tt.run(t, f)
				time.Sleep(5 * time.Second) // of the bubble
				assert.Equal(t, tt.kept, f.names())
				for _, s := range f.exported.GetSpans() {
					assert.True(t, s.SpanContext.IsSampled(), s.Name)
				}
				if tt.kept != nil {
					assert.Len(t, tt.kept, int(f.processor.Stats().Kept))
				}

				if tt.spans == all {
					assert.Zero(t, f.processor.Stats().Followed, "each call has told how it ended")
				}

				// Nothing is left, at the latest when the next operation comes after
				// the age of the limit.
				time.Sleep(time.Minute)
				for range 100 { // all shards
					_ = f.cache.Delete(t.Context(), "other")
				}
				stats := f.processor.Stats()
				assert.Zero(t, stats.Followed)
				assert.Zero(t, stats.Bytes)
			})
		})
	}
}

package engine_test

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// A request that was lost may still arrive, unless L2 enforces a deadline. To set one, its
// clock must be known: without, the value is not written again, because nothing proves
// that the older write does not come last.
func TestRepair_NeedsTheClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		knows  bool
		within time.Duration
		want   string // what becomes of the value
		newer  string // and if another process has replaced it
	}{
		"known":         {true, 20 * time.Millisecond, "applied", "superseded"},
		"hardly known":  {true, tiercache.DefaultWriteTimeout, "applied", "superseded"},
		"known too ill": {true, tiercache.DefaultWriteTimeout + 1, "dropped", "dropped"},
		"known wrongly": {true, -1, "dropped", "dropped"},
		"unknown":       {false, 0, "dropped", "dropped"},
	} {
		for _, replaced := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, replaced %v", name, replaced), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, r := backendtest.NewStore[string](), new(resolutions)
					l2 := &unsure{Client: s.Client(), within: test.within, knows: test.knows}
					here := &instance{
						stamps: backendtest.NewMap[string](), client: l2.Client, l2: backendtest.WithFaults[string](l2),
					}
					var err error
					here.Cache, err = tiercache.New("users", here.stamps, here.l2, tiercache.WithCoherence(bound, tiercache.AskL2),
						tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(slog.New(r))))
					require.NoError(t, err)
					<-here.client.Watched()
					sync2(t, here)
					here.set(t, "old")
					sync2(t, here)
					lost := new(late)
					here.l2.Next(tier.Set, lost.fault())
					require.ErrorIs(t, here.Set(t.Context(), "k", "new", time.Hour), tiercache.ErrInconsistent)
					want, wantL2 := test.want, map[string]string{"applied": "new", "dropped": "old"}[test.want]
					if replaced {
						want, wantL2 = test.newer, "newer"
						require.NoError(t, s.Client().Set(t.Context(), "k", backends.Entry[string]{Value: "newer"}))
					}
					here.beat(t, 4*passed)
					sync2(t, here)
					assert.Equal(t, []string{want}, r.take())
					assert.Equal(t, wantL2, inL2(s))
					here.close(t)
				})
			})
		}
	}
}

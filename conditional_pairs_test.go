package tiercache_test

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
)

// L1 is asked for the version of its value while the key is locked. If it writes the key,
// it would wait for itself.
func TestSourceVersion_L1Reenters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1 := backendtest.WithFaults(backendtest.NewMap[row]())
		c, err := tiercache.New("users", l1, backendtest.NewStore[row]().Client(),
			tiercache.WithTelemetry(tracing.Disabled()), byVersion())
		require.NoError(t, err)
		var inner error
		l1.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
			inner = c.Set(ctx, "k", row{"inner", 1}, 0)
			return next(ctx)
		})
		begin := time.Now()
		require.NoError(t, c.Set(t.Context(), "k", row{"outer", 2}, 0))
		require.ErrorIs(t, inner, tiercache.ErrReentrant)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, c.Close(t.Context()))
	})
}

// A write that is kept out by its source's version is no conflict that another attempt
// could win, and the caller gets the answer at once.
func TestSourceVersion_SetIfAbsentKeptOut(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, p process[row], store *backendtest.Store[row]) (want row){
		"by a deletion": func(t *testing.T, p process[row], _ *backendtest.Store[row]) (none row) {
			require.NoError(t, p.DeleteVersion(t.Context(), "k", 5))
			return none
		},
		"by l1, whose value l2 has lost": func(t *testing.T, p process[row], store *backendtest.Store[row]) row {
			require.NoError(t, p.Set(t.Context(), "k", row{"new", 5}, 0))
			store.Evict("k")
			return row{"new", 5}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := backendtest.NewStore[row]()
				p := newProcess(t, store, byVersion())
				want := prepare(t, p, store)
				begin := time.Now()
				won, stored, err := p.SetIfAbsent(t.Context(), "k", row{"old", 3}, 0)
				require.NoError(t, err)
				assert.False(t, stored)
				assert.Equal(t, want, won.Value)
				attempts := 0
				_, err = p.Update(t.Context(), "k", 0, func(row, bool) (row, error) {
					attempts++
					return row{"old", 3}, nil
				})
				require.ErrorIs(t, err, tiercache.ErrConflict)
				assert.Equal(t, 1, attempts)
				assert.Zero(t, time.Since(begin))
			})
		})
	}
}

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
	"github.com/tiercache/tiercache/writepolicy"
)

// Close in an operation would wait for that operation. It closes the cache and says
// that it has not waited.
func TestCloseWithinAnOperation(t *testing.T) {
	t.Parallel()
	set := func(ctx context.Context, w *fixture) error { return w.Set(ctx, "k", "v", 0) }
	for name, test := range map[string]struct {
		prepare func(w *fixture, closes func(ctx context.Context))
		run     func(ctx context.Context, w *fixture) error
	}{
		"in a loader": {
			run: func(ctx context.Context, w *fixture) error {
				_, err := w.GetOrLoad(ctx, "k", 0, func(ctx context.Context, _ string) (string, error) {
					return "v", w.Close(ctx)
				})
				return err
			},
		},
		"in a tier": {
			prepare: func(w *fixture, closes func(ctx context.Context)) {
				w.L2.Next(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
					closes(ctx)
					return next(ctx)
				})
			},
			run: set,
		},
		"in the hook": {
			prepare: func(w *fixture, _ func(ctx context.Context)) {
				w.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
			},
			run: set,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var w *fixture
				var closed []error
				closes := func(ctx context.Context) { closed = append(closed, w.Close(ctx)) }
				w = newFixture(t, tiercache.WithInconsistencyHook(func(ctx context.Context, _ tiercache.Inconsistency) { closes(ctx) }))
				if test.prepare != nil {
					test.prepare(w, closes)
				}
				begin := time.Now()
				err := test.run(t.Context(), w)
				if len(closed) == 0 {
					closed = append(closed, err) // the loader's
				}
				require.ErrorIs(t, closed[0], tiercache.ErrReentrant)
				require.ErrorContains(t, closed[0], "operations still under way: 1: ")
				assert.Zero(t, time.Since(begin))
				require.ErrorIs(t, w.Set(t.Context(), "k", "w", 0), tiercache.ErrClosed)
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// Nothing of a policy keeps Close beyond its context, and Close waits for it as long
// as that lasts.
func TestCloseWaitsForACallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		w := newFixture(t, tiercache.WithWritePolicy(writepolicy.PolicyFunc(
			func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				l2.Go(ctx, func(error) { <-hold })
				return l1.Write(ctx)
			})))
		require.NoError(t, w.Set(t.Context(), "k", "v", 0))
		synctest.Wait()
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			begin := time.Now()
			err := w.Close(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "callbacks of a policy, or loaders, still under way: 1")
			assert.Equal(t, time.Second, time.Since(begin))
		}
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- w.Close(t.Context()) }()
		}
		synctest.Wait()
		assert.Empty(t, ended)
		close(hold)
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
		require.NoError(t, w.Close(t.Context()))
	})
}

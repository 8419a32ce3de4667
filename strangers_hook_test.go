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

// A hook that writes while L2 is down does not call itself. What its write leaves
// behind is reported in all other ways.
func TestHookThatWritesIsNotCalledAgain(t *testing.T) {
	t.Parallel()
	for name, repair := range map[string]func(ctx context.Context, w *fixture) error{
		"the key":     func(ctx context.Context, w *fixture) error { return w.Set(ctx, "k", "repaired", 0) },
		"another key": func(ctx context.Context, w *fixture) error { return w.Set(ctx, "other", "repaired", 0) },
		"a load": func(ctx context.Context, w *fixture) error {
			_, err := w.GetOrLoad(ctx, "other", 0, follow(w, nil))
			return err
		},
		"in a goroutine": func(ctx context.Context, w *fixture) error {
			go func() { _ = w.Set(ctx, "k", "repaired", 0) }()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newRecorder()
				var w *fixture
				hooked := 0
				w = newFixture(t, append(c.options(), tiercache.WithInconsistencyHook(func(ctx context.Context, _ tiercache.Inconsistency) {
					hooked++
					if hooked > 100 {
						t.Fatal("it calls itself")
					}
					_ = repair(ctx, w)
				}))...)
				w.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
				require.Error(t, w.Set(t.Context(), "k", "v", 0))
				synctest.Wait()
				assert.Equal(t, 1, hooked)
				assert.Len(t, c.Records(), 2)
				assert.Equal(t, 2, counted(t, c))

				require.Error(t, w.Set(t.Context(), "k", "v", 0))
				synctest.Wait()
				assert.Equal(t, 2, hooked, "a write of its own has its hook")
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// The hook of a loaded value asks for the key whose flight waits for it.
func TestHookLoadsTheKey(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		var w *fixture
		hooked := 0
		w = newFixture(t, tiercache.WithWritePolicy(p),
			tiercache.WithInconsistencyHook(func(ctx context.Context, _ tiercache.Inconsistency) {
				hooked++
				got, err := w.GetOrLoad(ctx, "k", 0, follow(w, nil))
				assert.NoError(t, err)
				assert.Contains(t, []string{"loaded", "k"}, got)
			}))
		w.L2.Next(tier.Set, backendtest.ApplyThenFail(errRefused))
		begin := time.Now()
		got, err := w.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "loaded", nil })
		require.NoError(t, err)
		assert.Equal(t, "loaded", got)
		synctest.Wait()
		assert.Equal(t, 1, hooked)
		assert.Zero(t, time.Since(begin))
		require.NoError(t, w.Close(t.Context()))
	})
}

// A race cancels the loser's context, and the loser's goroutine calls the hook, whose
// context goes on.
func TestHookAfterACancelledLoser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		hooked := false
		w := newFixture(t, tiercache.WithWritePolicy(writepolicy.Race(writepolicy.CancelLoser())),
			tiercache.WithInconsistencyHook(func(ctx context.Context, _ tiercache.Inconsistency) {
				hooked = true
				assert.NoError(t, ctx.Err())
				assert.NoError(t, context.Cause(ctx))
				assert.Equal(t, "value", ctx.Value(key{}))
				derived, cancel := context.WithCancel(ctx)
				defer cancel()
				assert.NoError(t, context.Cause(derived))
			}))
		w.L2.Next(tier.Set, backendtest.Hang())
		ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
		require.NoError(t, w.Set(ctx, "k", "v", 0))
		cancel(errRefused)
		require.NoError(t, w.Close(t.Context()))
		assert.True(t, hooked)
	})
}

// The context of a policy and of its tiers has neither the caller's end nor its cause.
func TestContextOfAWrite(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	w := newFixture(t, tiercache.WithWritePolicy(writepolicy.PolicyFunc(
		func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
			cancel(errRefused)
			derived, stop := context.WithCancel(ctx)
			defer stop()
			for _, ctx := range []context.Context{ctx, derived} {
				assert.NoError(t, ctx.Err())
				assert.NoError(t, context.Cause(ctx))
				_, ok := ctx.Deadline()
				assert.False(t, ok)
			}
			return writepolicy.Sequential().Write(ctx, op, l1, l2)
		})))
	require.NoError(t, w.Set(ctx, "k", "v", 0))
	require.NoError(t, w.Close(t.Context()))
}

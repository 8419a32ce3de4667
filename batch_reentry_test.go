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

// A tier that is called for a batch, and calls the cache: what would wait for the batch
// gets an error at once, for every key of the batch, as in an operation on one key.
func TestBatch_Reentrant(t *testing.T) {
	t.Parallel()
	load := func(context.Context, string) (string, error) { return "inner", nil }
	getOrLoad := func(ctx context.Context, n node) error {
		_, err := n.GetOrLoad(ctx, "k2", 0, load)
		return err
	}
	calls := map[string]func(ctx context.Context, n node) error{
		"Set":       func(ctx context.Context, n node) error { return n.Set(ctx, "k2", "inner", 0) },
		"Delete":    func(ctx context.Context, n node) error { return n.Delete(ctx, "k2") },
		"SetMany":   func(ctx context.Context, n node) error { return n.SetMany(ctx, valued(keysOf(3), "inner"), 0) },
		"Close":     func(ctx context.Context, n node) error { return n.Close(ctx) },
		"GetOrLoad": getOrLoad,
	}
	set := func(ctx context.Context, n node) error { return n.SetMany(ctx, valued(keysOf(3), "a"), 0) }
	loads := func(ctx context.Context, n node) error {
		_, err := n.GetOrLoadMany(ctx, keysOf(3), 0, func(context.Context, []string) (map[string]string, error) {
			return map[string]string{"k0": "a", "k1": "a", "k2": "a"}, nil
		})
		return err
	}
	gets := func(ctx context.Context, n node) error {
		_, err := n.GetMany(ctx, keysOf(3))
		return err
	}
	for name, test := range map[string]struct {
		run   func(ctx context.Context, n node) error
		l2    bool
		kind  tier.Kind
		calls []string
	}{
		"l1 of SetMany":             {set, false, tier.Set, []string{"Set", "Delete", "SetMany", "Close"}},
		"l2 of SetMany":             {set, true, tier.Set, []string{"Set", "Delete", "SetMany", "Close"}},
		"l2 of GetMany":             {gets, true, tier.Get, []string{"Close"}},
		"l2 read of GetOrLoadMany":  {loads, true, tier.Get, []string{"GetOrLoad", "Close"}},
		"l2 write of GetOrLoadMany": {loads, true, tier.Set, []string{"Set", "Delete", "SetMany", "Close"}},
		"l1 write of GetOrLoadMany": {loads, false, tier.Set, []string{"Set", "Delete", "SetMany", "Close", "GetOrLoad"}},
	} {
		for _, call := range test.calls {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					n := newNode(t)
					at := n.l1
					if test.l2 {
						at = n.l2
					}
					inner := make(chan error, 1)
					at.Next(test.kind, func(ctx context.Context, next func(context.Context) error) error {
						inner <- calls[call](ctx, n)
						return next(ctx)
					})
					ended := make(chan error, 1)
					go func() { ended <- test.run(t.Context(), n) }()
					select {
					case err := <-inner:
						require.ErrorIs(t, err, tiercache.ErrReentrant)
					case <-time.After(time.Hour):
						require.FailNow(t, "the call waits for itself")
					}
					require.NoError(t, <-ended)
				})
			})
		}
	}
}

// What a tier has kept from a batch says nothing once the batch is over.
func TestBatch_KeptContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		var kept context.Context
		n.l2.Next(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			kept = ctx //nolint:fatcontext // the test keeps it on purpose
			return next(ctx)
		})
		require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
		require.NotNil(t, kept)
		gate := backendtest.NewGate()
		n.l2.Next(tier.Set, gate.Before())
		go func() { _ = n.Set(t.Context(), "k1", "b", 0) }()
		<-gate.Arrived()
		done := make(chan error, 1)
		go func() { done <- n.Set(kept, "k1", "c", 0) }()
		synctest.Wait()
		gate.Open()
		require.NoError(t, <-done)
		_, l2 := n.holds("k1")
		assert.Equal(t, "c", l2)
	})
}

// A hook or policy that runs for one key of a batch may write another: the batch goes on
// meanwhile.
func TestBatch_WritesAnotherOfItsKeys(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]string{"hook": "hook", "policy": "policy"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var n node
				inner := make(chan error, 1)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				policy := writepolicy.PolicyFunc(func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
					switch op.Key {
					case "k0": // it ends after one call
						err := l1.Write(ctx)
						if where == "policy" {
							inner <- n.Set(ctx, "k1", "inner", 0)
						}
						return err
					case "k1":
						if err := l1.Write(ctx); err != nil {
							return err
						}
					}
					return l2.Write(ctx)
				})
				n = newNode(t, tiercache.WithWritePolicy(writepolicy.WithName("custom", policy)),
					tiercache.WithInconsistencyHook(func(ctx context.Context, i tiercache.Inconsistency) {
						if where == "hook" && i.Key == "k0" {
							inner <- n.Set(ctx, "k1", "inner", 0)
						}
					}))
				_ = n.SetMany(ctx, valued(keysOf(2), "a"), 0)
				require.NoError(t, <-inner)
				require.NoError(t, ctx.Err(), "nobody has waited")
			})
		})
	}
}

package tiercache_test

import (
	"context"
	"strings"
	"sync/atomic"
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

// A policy that waits for the load of another key of its batch keeps that key waiting for
// nothing: the others go on without it.
func TestGetOrLoadMany_PolicyWaitsForAnotherKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n node
		n = newNode(t, tiercache.WithWritePolicy(writepolicy.PolicyFunc(
			func(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
				if op.Key == "k0" {
					value, err := n.GetOrLoad(ctx, "k1", 0, loads("", errRefused))
					assert.NoError(t, err)
					assert.Equal(t, "k1a", value)
				}
				if err := l1.Write(ctx); err != nil {
					return err
				}
				return l2.Write(ctx)
			})))
		began := time.Now()
		got, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(new(atomic.Int32), "a"))
		require.NoError(t, err)
		assert.Equal(t, "k0a", got[0].Value)
		assert.Zero(t, time.Since(began), "nobody had to be given up on")
	})
}

// The span of L2 names the first error of a batch of reads.
func TestGetMany_NamesTheFirstError(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	n := newNode(t, c.options(tracing.WithTierSpans(tracing.TierSpansAll))...)
	n.l2.NextAt(tier.Get, 0, backendtest.FailBefore(context.DeadlineExceeded))
	n.l2.NextAt(tier.Get, 1, backendtest.FailBefore(errRefused))
	_, err := n.GetMany(t.Context(), keysOf(2))
	require.ErrorIs(t, err, errRefused)
	_, l2, _ := strings.Cut(c.Tree(), "get_many users l2")
	assert.Contains(t, l2, "error.type=timeout")
	assert.Contains(t, l2, `"l2 get failed: context deadline exceeded"`)
}

package tiercachetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/writepolicy"
)

var errRefused = errors.New("refused")

func TestTiers_Holds(t *testing.T) {
	t.Parallel()
	f := tiercachetest.New[int](t)
	f.L1.Next(tier.Set, backendtest.ApplyThenFail(errRefused))
	require.Error(t, f.Set(t.Context(), "k", 1, 0))
	expired := backends.Entry[int]{Value: 2, ExpiresAt: time.Now().Add(-time.Hour)}
	require.NoError(t, f.Map2.Set(t.Context(), "expired", expired))
	for key, want := range map[string][2]int{"k": {1, 0}, "expired": {0, 2}, "absent": {}} {
		l1, l2 := f.Holds(key)
		assert.Equal(t, want, [2]int{l1, l2}, key)
	}
}

func TestNewTiers_DescribeThemselves(t *testing.T) {
	t.Parallel()
	tiers := tiercachetest.NewTiers[string]()
	assert.True(t, backends.DescriptionOf(tiers.L1).InProcess)
	assert.Equal(t, backends.Description{System: "fake"}, backends.DescriptionOf(tiers.L2))
}

// testTB records the calls of a fixture on its test.
type testTB struct {
	testing.TB
	cleanups []func()
	failures []string
}

func (*testTB) Helper()                      {}
func (tb *testTB) Cleanup(f func())          { tb.cleanups = append(tb.cleanups, f) }
func (tb *testTB) Errorf(f string, a ...any) { tb.failures = append(tb.failures, fmt.Sprintf(f, a...)) }
func (tb *testTB) Fatalf(f string, a ...any) { tb.Errorf(f, a...); panic(tb) }

// end runs the cleanups, as the end of a test does.
func (tb *testTB) end() {
	for _, f := range tb.cleanups {
		f()
	}
}

func TestNew_InvalidOption(t *testing.T) {
	t.Parallel()
	tb := &testTB{}
	assert.Panics(t, func() { tiercachetest.New[string](tb, tiercache.WithWriteTimeout(-1)) })
	require.Len(t, tb.failures, 1)
	assert.Contains(t, tb.failures[0], "the write timeout is -1ns")
}

// The end of a test closes the cache, and waits for a detached write.
func TestNew_ClosesTheCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tb := &testTB{}
		f := tiercachetest.New[string](tb, tiercache.WithWritePolicy(writepolicy.Race()))
		f.L2.Next(tier.Set, backendtest.Delay(time.Second))
		begin := time.Now()
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		tb.end()
		assert.Equal(t, time.Second, time.Since(begin))
		assert.Empty(t, tb.failures)
		require.ErrorIs(t, f.Set(t.Context(), "k", "v", 0), tiercache.ErrClosed)
	})
}

// A cache that was made outside of a bubble and closed inside is not closed again:
// that would touch channels of the bubble.
func TestFixture_ClosedInABubble(t *testing.T) {
	t.Parallel()
	f := tiercachetest.New[string](t)
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		require.NoError(t, f.Close(t.Context()))
	})
}

// An operation that never ends fails the test instead of hanging it.
func TestNew_OperationNeverEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tb := &testTB{}
		f := tiercachetest.New[string](tb)
		gate := backendtest.NewGate()
		f.L1.Next(tier.Set, gate.Before())
		go func() { _ = f.Set(context.Background(), "k", "v", 0) }() //nolint:usetesting // nothing ends it but the gate
		<-gate.Arrived()
		tb.end()
		require.Len(t, tb.failures, 1)
		assert.Contains(t, tb.failures[0], "the cache is still in use after 10s")
		gate.Open()
		require.NoError(t, f.Close(t.Context()))
	})
}

// Two caches share their tiers, as two processes share L2.
func TestOver_SharedTiers(t *testing.T) {
	t.Parallel()
	tiers := tiercachetest.NewTiers[string]()
	a, b := tiercachetest.Over(t, tiers), tiercachetest.Over(t, tiers)
	require.NoError(t, a.Set(t.Context(), "k", "v", 0))
	value, ok, err := b.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "v", value)
}

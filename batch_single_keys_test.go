package tiercache_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A key that is refused keeps no other key of its batch back, wherever it stands.
func TestBatch_InvalidKeyComesFirst(t *testing.T) {
	t.Parallel()
	keys := []string{"", "k"}
	for name, run := range map[string]func(ctx context.Context, n node) error{
		"SetMany":    func(ctx context.Context, n node) error { return n.SetMany(ctx, valued(keys, "new"), 0) },
		"DeleteMany": func(ctx context.Context, n node) error { return n.DeleteMany(ctx, keys) },
		"GetOrLoadMany": func(ctx context.Context, n node) error {
			if err := n.DeleteMany(ctx, keys[1:]); err != nil {
				return err
			}
			got, err := n.GetOrLoadMany(ctx, keys, 0, loadAll(new(atomic.Int32), "new"))
			if got[1].Value != "knew" {
				return errors.New("the second key was not loaded")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			require.NoError(t, n.Set(t.Context(), "k", "old", 0))
			var failed *tiercache.BatchError
			require.ErrorAs(t, run(t.Context(), n), &failed)
			require.ErrorIs(t, failed.Of(0), tiercache.ErrInvalid)
			require.NoError(t, failed.Of(1))
			value := "knew"
			if name == "DeleteMany" {
				value = ""
			}
			l1, l2 := n.holds("k")
			assert.Equal(t, [2]string{value, value}, [2]string{l1, l2})
		})
	}
}

// A call of a batch that goes on after its return is counted until it ends.
func TestSetMany_CountsDetachedCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		n := newNode(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.Race()))...)
		counted := func() (lines []string) {
			for _, line := range c.metrics(t) {
				if strings.HasPrefix(line, tracing.MetricWriteDetached) {
					lines = append(lines, line)
				}
			}
			return lines
		}
		n.l2.Next(tier.Set, backendtest.Delay(time.Second))
		require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
		assert.Equal(t, []string{tracing.MetricWriteDetached + " {write} value=2 tiercache.cache.name=users"}, counted())
		time.Sleep(time.Minute)
		assert.Empty(t, counted())
	})
}

// The error of WithNotFound is a miss for a batch of loads too.
func TestGetOrLoadMany_NotFound(t *testing.T) {
	t.Parallel()
	n := newNode(t, tiercache.WithNotFound(func(err error) bool { return errors.Is(err, errRefused) }))
	got, err := n.GetOrLoadMany(t.Context(), keysOf(2), 0, func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"k0": "with an error, a value does not count"}, errRefused
	})
	require.NoError(t, err)
	assert.Equal(t, make([]tiercache.Found[string], 2), got)
	_, err = n.GetOrLoadMany(t.Context(), keysOf(2), 0, func(context.Context, []string) (map[string]string, error) {
		return nil, errExited
	})
	require.ErrorIs(t, err, errExited)
}

// Of a batch that asks both tiers at once, the first hit counts: L2 is asked only for keys
// that L1 does not have, unless the policy waits for both.
func TestGetMany_AsksL2ForTheOthers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy readpolicy.Policy
		calls  int
	}{
		"sequential": {readpolicy.Sequential(), 0},
		"race":       {readpolicy.Race(), 0},
		"parallel":   {readpolicy.Parallel(), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, tiercache.WithReadPolicy(test.policy))
			require.NoError(t, n.SetMany(t.Context(), valued(keysOf(2), "a"), 0))
			got, err := n.GetMany(t.Context(), keysOf(2))
			require.NoError(t, err)
			assert.Equal(t, []tiercache.Found[string]{{Value: "k0a", OK: true}, {Value: "k1a", OK: true}}, got)
			assert.Equal(t, test.calls, n.l2.Calls(tier.Get))
		})
	}
}

// A refresh ahead by a batch loader that fails leaves the value where it is.
func TestGetOrLoadMany_RefreshFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, tiercache.WithRefreshAhead(0.5))
		var calls atomic.Int32
		_, err := n.GetOrLoadMany(t.Context(), keysOf(1), time.Minute, loadAll(&calls, "a"))
		require.NoError(t, err)
		time.Sleep(40 * time.Second)
		got, err := n.GetOrLoadMany(t.Context(), keysOf(1), time.Minute, func(context.Context, []string) (map[string]string, error) {
			calls.Add(1)
			return nil, errRefused
		})
		require.NoError(t, err)
		assert.Equal(t, "k0a", got[0].Value)
		synctest.Wait()
		assert.EqualValues(t, 2, calls.Load(), "it was refreshed")
		l1, l2 := n.holds("k0")
		assert.Equal(t, [2]string{"k0a", "k0a"}, [2]string{l1, l2})
	})
}

// An iterator that panics is foreign code as any other.
func TestSetMany_IteratorPanics(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	err := n.SetMany(t.Context(), func(yield func(string, string) bool) {
		yield("k", "v")
		panic(secretKey)
	}, 0)
	var panicked *backends.PanicError
	require.ErrorAs(t, err, &panicked)
	assert.NotContains(t, err.Error(), secretKey)
	assert.Zero(t, n.l2.Calls(tier.Set))
}

// The loader may do with its slice of keys as it likes: the error quotes none of them.
func TestGetOrLoadMany_LoaderChangesItsKeys(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	_, err := n.GetOrLoadMany(t.Context(), []string{secretKey}, 0, func(_ context.Context, keys []string) (map[string]string, error) {
		key := keys[0]
		keys[0] = "another"
		return nil, errors.New("no row for " + key)
	})
	var failed *tiercache.LoadError
	require.ErrorAs(t, err, &failed)
	assert.NotContains(t, err.Error(), secretKey)
}

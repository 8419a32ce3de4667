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
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// A refill keeps out only a value that is certainly older than L1's.
func TestSourceVersion_RefillOfAnotherValue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ l1, l2, want row }{
		"older":                 {row{"l1", 2}, row{"l2", 1}, row{"l1", 2}},
		"as new":                {row{"l1", 2}, row{"l2", 2}, row{"l2", 2}},
		"newer":                 {row{"l1", 2}, row{"l2", 3}, row{"l2", 3}},
		"without a version":     {row{"l1", 2}, row{"l2", 0}, row{"l2", 0}},
		"L1's has no version":   {row{"l1", 0}, row{"l2", 1}, row{"l2", 1}},
		"neither has a version": {row{"l1", 0}, row{"l2", 0}, row{"l2", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, backendtest.NewStore[row](), byVersion())
			require.NoError(t, p.l1.Set(t.Context(), "k", backends.Entry[row]{Value: test.l1}))
			require.NoError(t, p.l2.Set(t.Context(), "k", backends.Entry[row]{Value: test.l2}))
			got, _, err := p.Get(t.Context(), "k", tiercache.SkipL1())
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			value, _ := p.inL1("k")
			assert.Equal(t, test.want, value)
		})
	}
}

// The function is asked for values that there are, and for no others.
func TestSourceVersion_AsksForValues(t *testing.T) {
	t.Parallel()
	p := newProcess(t, backendtest.NewStore[*row](), tiercache.WithSourceVersion(func(r *row) uint64 {
		assert.NotNil(t, r)
		return r.Version
	}))
	require.NoError(t, p.l2.Set(t.Context(), "k", backends.Entry[*row]{Value: &row{"l2", 1}}))
	got, _, err := p.Get(t.Context(), "k", tiercache.SkipL1())
	require.NoError(t, err)
	assert.Equal(t, &row{"l2", 1}, got)
	require.NoError(t, p.DeleteVersion(t.Context(), "k", 2))
	require.NoError(t, p.DeleteVersion(t.Context(), "k", 3))
	require.NoError(t, p.Set(t.Context(), "k", &row{"new", 4}, 0))
}

// L2 remembers the version of a deletion for longer than a write can be under way.
func TestSourceVersion_RememberedForLongWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := backendtest.NewStore[row]()
		p := newProcess(t, store, byVersion(), tiercache.WithWriteTimeout(time.Hour))
		require.NoError(t, p.DeleteVersion(t.Context(), "k", 2))
		time.Sleep(2*time.Hour - time.Second)
		require.NoError(t, p.Set(t.Context(), "k", row{"old", 1}, 0))
		assert.Empty(t, store.Snapshot())
		time.Sleep(2 * time.Second)
		require.NoError(t, p.Set(t.Context(), "k", row{"old", 1}, 0))
		assert.NotEmpty(t, store.Snapshot())
	})
}

// A deletion that L2 has, and of which L1 keeps its copy, has failed. A Set has not: L1's
// copy is what the next one replaces.
func TestConditional_L1KeepsItsCopy(t *testing.T) {
	t.Parallel()
	newFaulty := func(t *testing.T) (*tiercache.Cache[row], *backendtest.Faults[row], *backendtest.Store[row]) {
		t.Helper()
		store := backendtest.NewStore[row]()
		l1 := backendtest.WithFaults(backendtest.NewMap[row]())
		c, err := tiercache.New("users", l1, store.Client(), tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		require.NoError(t, c.Set(t.Context(), "k", row{"old", 1}, 0))
		l1.Always(tier.Set, backendtest.FailBefore(errRefused))
		l1.Always(tier.Delete, backendtest.FailBefore(errRefused))
		return c, l1, store
	}
	for name, test := range map[string]struct {
		write func(ctx context.Context, c *tiercache.Cache[row]) error
		fails bool
	}{
		"DeleteVersion": {func(ctx context.Context, c *tiercache.Cache[row]) error { return c.DeleteVersion(ctx, "k", 2) }, true},
		"Update": {func(ctx context.Context, c *tiercache.Cache[row]) error {
			_, err := c.Update(ctx, "k", 0, func(row, bool) (row, error) { return row{"new", 2}, nil })
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, l1, store := newFaulty(t)
			err := test.write(t.Context(), c)
			assert.NotEqual(t, row{"old", 1}, store.Snapshot()["k"].Value)
			if test.fails {
				require.ErrorIs(t, err, errRefused)
			} else {
				require.NoError(t, err)
			}
			l1.Clear()
			require.NoError(t, c.Close(t.Context()))
		})
	}
}

// A span names the condition that L2 decides by: that of the caller, or the source's version
// if there is no other.
func TestSourceVersion_NamesTheCondition(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write func(ctx context.Context, p process[row]) error
		want  string
	}{
		"Set": {func(ctx context.Context, p process[row]) error { return p.Set(ctx, "k", row{"a", 1}, 0) }, "source"},
		"Set without a version": {
			func(ctx context.Context, p process[row]) error { return p.Set(ctx, "k", row{"a", 0}, 0) }, "",
		},
		"SetIfAbsent": {func(ctx context.Context, p process[row]) error {
			_, _, err := p.SetIfAbsent(ctx, "k", row{"a", 1}, 0)
			return err
		}, "absent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newRecorder()
			p := newProcess(t, backendtest.NewStore[row](), append(c.options(), byVersion())...)
			require.NoError(t, test.write(t.Context(), p))
			if key := string(tracing.AttrCondition); test.want == "" {
				assert.NotContains(t, c.Tree(), key)
			} else {
				assert.Contains(t, c.Tree(), key+"="+test.want)
			}
		})
	}
}

// A SetIfAbsent that its source's version lost gets the error of L2, if that does not tell
// what it has.
func TestSetIfAbsent_LostAndUnread(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	l2 := backendtest.WithFaults[row](store.Client())
	c, err := tiercache.New("users", backendtest.NewMap[row](), l2, byVersion(), tiercache.WithTelemetry(tracing.Disabled()))
	require.NoError(t, err)
	require.NoError(t, c.DeleteVersion(t.Context(), "k", 5))
	l2.Next(tier.Get, backendtest.FailBefore(errRefused))
	_, stored, err := c.SetIfAbsent(t.Context(), "k", row{"a", 1}, 0)
	require.ErrorIs(t, err, errRefused)
	assert.False(t, stored)
	_, stored, err = c.SetIfAbsent(t.Context(), "k", row{"a", 1}, 0)
	require.NoError(t, err, "the deletion is newer")
	assert.False(t, stored)
	won, stored, err := c.SetIfAbsent(t.Context(), "k", row{"a", 6}, 0)
	require.NoError(t, err)
	assert.True(t, stored)
	assert.True(t, won.ExpiresAt.IsZero(), "it does not expire")
	require.NoError(t, c.Close(t.Context()))
}

// fleeting has an entry when it is written, and none when it is read.
type fleeting struct {
	*backendtest.Client[string]
	writes int
}

func (f *fleeting) Write(context.Context, *backends.Write[string]) (backends.Result, error) {
	f.writes++
	return backends.Result{Refused: backends.RefusedCondition}, nil
}

// An addition gives up after a hundred attempts, as an update does.
func TestSetIfAbsent_GivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l2 := &fleeting{Client: backendtest.NewStore[string]().Client()}
		c, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithTelemetry(tracing.Disabled()))
		require.NoError(t, err)
		_, _, err = c.SetIfAbsent(t.Context(), "k", "v", 0)
		require.ErrorIs(t, err, tiercache.ErrConflict)
		assert.Equal(t, 100, l2.writes)
		require.NoError(t, c.Close(t.Context()))
	})
}

// The pause before the second attempt is a millisecond at most.
func TestUpdate_FirstPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := backendtest.NewStore[string]()
		p := newProcess(t, store)
		for range 20 {
			began, attempts := time.Now(), 0
			_, err := p.Update(t.Context(), "k", 0, func(string, bool) (string, error) {
				attempts++
				if attempts == 1 {
					return "", p.l2.Set(t.Context(), "k", backends.Entry[string]{Value: "faster"})
				}
				return "v", nil
			})
			require.NoError(t, err)
			assert.Equal(t, 2, attempts)
			assert.LessOrEqual(t, time.Since(began), time.Millisecond)
		}
	})
}

package tiercache_test

import (
	"context"
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
	"github.com/tiercache/tiercache/writepolicy"
)

// row is a value with the version that its database gave it.
type row struct {
	Name    string
	Version uint64
}

func byVersion() tiercache.Option {
	return tiercache.WithSourceVersion(func(r row) uint64 { return r.Version })
}

// requireRow checks the value in both tiers; a zero row in L1 may be absent.
func requireRow(t *testing.T, p process[row], store *backendtest.Store[row], want row) {
	t.Helper()
	assert.Equal(t, want, store.Snapshot()["k"].Value, "L2")
	if value, ok := p.inL1("k"); ok {
		assert.Equal(t, want, value, "L1")
	}
	got, _, err := p.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, want, got, "a reader")
}

func TestSourceVersion_OlderSetAfterNewer(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	old, newer := row{"old", 1}, row{"new", 2}
	require.NoError(t, here.Set(t.Context(), "k", newer, 0))
	require.NoError(t, there.Set(t.Context(), "k", old, 0), "it is no failure")
	require.NoError(t, here.Set(t.Context(), "k", old, 0))
	requireRow(t, here, store, newer)
	requireRow(t, there, store, newer)
}

func TestSourceVersion_EqualIsAccepted(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	p := newProcess(t, store, byVersion())
	require.NoError(t, p.Set(t.Context(), "k", row{"a", 1}, 0))
	require.NoError(t, p.Set(t.Context(), "k", row{"b", 1}, 0))
	requireRow(t, p, store, row{"b", 1})
}

// L1 keeps out an older value although L2 has lost the newer one.
func TestSourceVersion_L2HasForgotten(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	p := newProcess(t, store, byVersion())
	require.NoError(t, p.Set(t.Context(), "k", row{"new", 2}, 0))
	store.Evict("k")
	require.NoError(t, p.Set(t.Context(), "k", row{"old", 1}, 0))
	assert.Empty(t, store.Snapshot(), "L2 gets no older value")
	value, _ := p.inL1("k")
	assert.Equal(t, row{"new", 2}, value)
}

// A load has read the source before a Set that overtakes it, in another process.
func TestSourceVersion_LoadAgainstSet(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	got, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, key string) (row, error) {
		return row{"old", 1}, there.Set(ctx, key, row{"new", 2}, time.Hour)
	})
	require.NoError(t, err)
	assert.Equal(t, row{"old", 1}, got, "the load overlaps the Set, so it may come before it")
	requireRow(t, here, store, row{"new", 2})
	requireRow(t, there, store, row{"new", 2})
}

// A deletion keeps out the older value of a load that began before it, in another
// process, and accepts a newer one.
func TestSourceVersion_DeleteAgainstOlderLoadAndSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := backendtest.NewStore[row]()
		here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
		require.NoError(t, here.Set(t.Context(), "k", row{"old", 1}, time.Hour))
		require.NoError(t, there.DeleteVersion(t.Context(), "k", 2))
		require.NoError(t, here.Set(t.Context(), "k", row{"old", 1}, time.Hour))
		_, ok, err := there.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok, "the deletion is newer")
		_, ok = here.inL1("k")
		assert.False(t, ok)

		require.NoError(t, here.Set(t.Context(), "k", row{"reborn", 3}, time.Hour))
		require.NoError(t, there.DeleteVersion(t.Context(), "k", 2), "an older deletion is no failure")
		requireRow(t, here, store, row{"reborn", 3})

		require.NoError(t, there.DeleteVersion(t.Context(), "k", 4))
		<-time.After(time.Minute)
		require.NoError(t, there.Set(t.Context(), "k", row{"old", 1}, time.Hour))
		assert.Equal(t, row{"old", 1}, store.Snapshot()["k"].Value, "nobody remembers the deletion for ever")
	})
}

// A read whose refill was overtaken by a newer one does not replace that, nor return the
// older value.
func TestSourceVersion_RefillAgainstRefill(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	require.NoError(t, there.Set(t.Context(), "k", row{"old", 1}, 0))
	slow := &slowFirstRead[row]{Client: here.l2, gate: make(chan struct{}), began: make(chan struct{})}
	c, err := tiercache.New("users", here.l1, slow, byVersion())
	require.NoError(t, err)
	answer := make(chan row)
	go func() {
		value, _, err := c.Get(t.Context(), "k")
		assert.NoError(t, err)
		answer <- value
	}()
	<-slow.began
	require.NoError(t, there.Set(t.Context(), "k", row{"new", 2}, 0))
	_, _, err = c.Get(t.Context(), "k", tiercache.SkipL1()) // fills L1
	require.NoError(t, err)
	close(slow.gate)
	assert.Equal(t, row{"new", 2}, <-answer, "not older than what others have got before")
	value, _ := here.inL1("k")
	assert.Equal(t, row{"new", 2}, value)
	require.NoError(t, c.Close(t.Context()))
}

// slowFirstRead holds back what the first Get has read until the gate opens.
type slowFirstRead[V any] struct {
	*backendtest.Client[V]
	second      atomic.Bool
	gate, began chan struct{}
}

func TestSourceVersion_Update(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	p := newProcess(t, store, byVersion())
	require.NoError(t, p.Set(t.Context(), "k", row{"a", 5}, 0))
	got, err := p.Update(t.Context(), "k", 0, func(old row, _ bool) (row, error) { return row{"b", old.Version + 1}, nil })
	require.NoError(t, err)
	requireRow(t, p, store, got)
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, store, byVersion())
		value, err := p.Update(t.Context(), "k", 0, func(row, bool) (row, error) { return row{"older", 1}, nil })
		require.ErrorIs(t, err, tiercache.ErrConflict)
		assert.Zero(t, value)
	})
	requireRow(t, p, store, got)
}

func TestSourceVersion_FunctionPanics(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	p := newProcess(t, store, tiercache.WithSourceVersion(func(row) uint64 { panic("oh") }))
	err := p.Set(t.Context(), "k", row{"a", 1}, 0)
	require.ErrorContains(t, err, "the function of WithSourceVersion panicked")
	assert.Empty(t, store.Snapshot())
	require.NoError(t, p.Delete(t.Context(), "k"), "the key is not locked")
}

// The option is refused where it could not keep its promise.
func TestSourceVersion_Refused(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	client := store.Client()
	plain := backendtest.NewMap[row]()
	for name, tc := range map[string]struct {
		opts []tiercache.Option
		text string
	}{
		"a write policy": {
			[]tiercache.Option{byVersion(), tiercache.WithWritePolicy(writepolicy.Parallel())}, "choose no write policy",
		},
		"reads of both tiers": {
			[]tiercache.Option{byVersion(), tiercache.WithReadPolicy(readpolicy.Parallel())}, "only sequential reads",
		},
		"another type": {
			[]tiercache.Option{tiercache.WithSourceVersion(func(string) uint64 { return 0 })}, "must take the cache's type of values",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tiercache.New("users", plain, client, tc.opts...)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			assert.ErrorContains(t, err, tc.text)
		})
	}
	_, err := tiercache.New("users", plain, backendtest.NewMap[row](), byVersion())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	require.ErrorContains(t, err, "needs an l2 that keeps versions")
	c, err := tiercache.New("users", plain, backendtest.NewMap[row](), tiercache.WithSourceVersion[row](nil))
	require.NoError(t, err, "nil turns it off")
	require.NoError(t, c.Close(t.Context()))
}

func (s *slowFirstRead[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	entry, ok, err = s.Client.Get(ctx, key)
	if s.second.CompareAndSwap(false, true) {
		close(s.began)
		<-s.gate
	}
	return entry, ok, err
}

// Batches obey the same order.
func TestSourceVersion_Batches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testSourceVersionBatches) // so that nobody is late
}

func testSourceVersionBatches(t *testing.T) {
	t.Helper()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	old, newer := row{"old", 1}, row{"new", 2}
	require.NoError(t, there.Set(t.Context(), "k", newer, 0))
	require.NoError(t, here.SetMany(t.Context(), func(yield func(key string, value row) bool) {
		_ = yield("k", old) && yield("other", old)
	}, 0))
	requireRow(t, here, store, newer)
	assert.Equal(t, old, store.Snapshot()["other"].Value)

	loaded, err := here.GetOrLoadMany(t.Context(), []string{"a", "b"}, 0, func(ctx context.Context, keys []string) (map[string]row, error) {
		return map[string]row{keys[0]: old, keys[1]: old}, there.Set(ctx, keys[1], newer, 0)
	})
	require.NoError(t, err)
	assert.Equal(t, old, loaded[0].Value)
	assert.Equal(t, old, store.Snapshot()["a"].Value)
	assert.Equal(t, newer, store.Snapshot()["b"].Value)
	_, ok := here.inL1("b")
	assert.False(t, ok, "L1 does not keep what L2 refused")
	got, err := here.GetMany(t.Context(), []string{"a", "b", "k"})
	require.NoError(t, err)
	assert.Equal(t, []tiercache.Found[row]{{Value: old, OK: true}, {Value: newer, OK: true}, {Value: newer, OK: true}}, got)
}

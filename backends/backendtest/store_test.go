package backendtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

type (
	client = backendtest.Client[string]
	write  = backends.Write[string]
)

func newClient() *client { return backendtest.NewStore[string]().Client() }

// put makes a write that must be applied, and returns its version.
func put(t *testing.T, c *client, w write) backends.Version {
	t.Helper()
	result, err := c.Write(t.Context(), &w)
	require.NoError(t, err)
	require.True(t, result.Applied(), "%+v", result)
	return result.Version
}

func set(key, value string) write { return write{Key: key, Kind: tier.Set, Entry: entry{Value: value}} }

func remove(key string) write { return write{Key: key, Kind: tier.Delete} }

func TestStore_Conforms(t *testing.T) {
	t.Parallel()
	suite(func() backends.Backend[string] { return newClient() }).Run(t)
}

// Two processes see each other's changes, but not each other's place in the log.
func TestStore_ClientsShareEntries(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	here, there := s.Client(), s.Client()
	v := put(t, here, set("key", "value"))
	assert.Equal(t, v, here.Seen("key"))
	assert.Zero(t, there.Seen("key"))

	e, answer, err := there.GetIf(t.Context(), "key", 0)
	require.NoError(t, err)
	assert.Equal(t, entry{Value: "value"}, e)
	assert.Equal(t, backends.Answer{Found: backends.Hit, Version: v}, answer)
	assert.Equal(t, v, there.Seen("key"))
}

func TestStore_Advance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := backendtest.NewStore[string]()
		c := s.Client()
		_, _, known := c.StoreTime()
		assert.False(t, known, "the store has not answered yet")
		w := set("key", "value")
		w.Entry.ExpiresAt = time.Now().Add(time.Minute)
		v := put(t, c, w)

		s.Advance(time.Minute)
		now, _, known := c.StoreTime()
		assert.True(t, known)
		assert.Equal(t, time.Now(), now, "the client does not know of it yet")
		_, answer, err := c.GetIf(t.Context(), "key", 0)
		require.NoError(t, err)
		assert.Equal(t, backends.Answer{Version: v}, answer, "expired, and remembered")
		now, _, _ = c.StoreTime()
		assert.Equal(t, time.Now().Add(time.Minute), now)

		s.Advance(backends.DefaultKeep)
		assert.Zero(t, s.Remembers("key"))
		s.Advance(-time.Hour)
		w = set("late", "value")
		w.Before = time.Now().Add(-time.Minute)
		put(t, c, w)
	})
}

func TestStore_Evict(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c := s.Client()
	put(t, c, set("a", "1"))
	put(t, c, set("b", "2"))
	put(t, c, remove("b"))
	put(t, c, set("c", "3"))
	log := s.Log()
	s.EvictTombstones()
	assert.Zero(t, s.Remembers("b"))
	s.Evict("a")
	assert.Zero(t, s.Remembers("a"))
	assert.Equal(t, map[string]entry{"c": {Value: "3"}}, s.Snapshot())
	assert.Equal(t, log, s.Log(), "the log says nothing of it")
}

func TestStore_Flush(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c := s.Client()
	old := put(t, c, set("key", "1"))
	s.Flush()
	assert.Empty(t, s.Snapshot())
	assert.Empty(t, s.Log())
	v := put(t, c, set("key", "2"))
	assert.Greater(t, v.Era(), old.Era())
	assert.Len(t, s.Log(), 1)
}

func TestStore_DeleteLog(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c := s.Client()
	old := put(t, c, set("key", "1"))
	s.DeleteLog()
	assert.Empty(t, s.Log())
	assert.Equal(t, old, s.Remembers("key").Version, "the entries stay")
	assert.Greater(t, put(t, c, set("other", "2")).Era(), old.Era())
}

// The changes of a lost tail are undone, and their versions issued again.
func TestStore_LoseTail(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c := s.Client()
	put(t, c, set("a", "1"))
	lost := put(t, c, set("a", "2"))
	put(t, c, set("b", "3"))
	s.LoseTail(2)
	assert.Equal(t, map[string]entry{"a": {Value: "1"}}, s.Snapshot())
	assert.Len(t, s.Log(), 1)
	assert.Equal(t, lost, put(t, c, set("c", "4")))
	s.LoseTail(100)
	assert.Empty(t, s.Snapshot())
}

func TestStore_Trim(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c := s.Client()
	put(t, c, set("a", "1"))
	v := put(t, c, set("b", "2"))
	s.Trim(1)
	s.Trim(100)
	require.Len(t, s.Log(), 1)
	assert.Equal(t, v, s.Log()[0].Version)
	assert.Len(t, s.Snapshot(), 2)
}

func TestClient_Lag(t *testing.T) {
	t.Parallel()
	c := newClient()
	put(t, c, set("key", "1"))
	put(t, c, set("key", "2"))
	put(t, c, set("other", "3"))
	for lag, want := range []string{"2", "2", "1", "", ""} {
		c.Lag(lag)
		e, _, err := c.Get(t.Context(), "key")
		require.NoError(t, err)
		assert.Equal(t, want, e.Value, "%d changes behind", lag)
	}
	result, err := c.Write(t.Context(), &write{Key: "key", Kind: tier.Set, If: backends.Absent()})
	require.NoError(t, err)
	assert.Equal(t, backends.RefusedCondition, result.Refused, "writes go to the primary")
}

func TestClient_Close(t *testing.T) {
	t.Parallel()
	c := newClient()
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	err := c.Set(t.Context(), "key", entry{})
	require.ErrorIs(t, err, backends.ErrClosed)
	assert.True(t, backends.CertainlyNotApplied(err))
	_, _, err = c.Get(t.Context(), "key")
	require.ErrorIs(t, err, backends.ErrClosed)
	require.ErrorIs(t, c.Watch(t.Context(), sinkFuncs{}), backends.ErrClosed)
}

func TestClient_EndedContext(t *testing.T) {
	t.Parallel()
	c := newClient()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.Set(ctx, "key", entry{})
	require.ErrorIs(t, err, context.Canceled)
	assert.True(t, backends.CertainlyNotApplied(err))
}

func TestClient_Described(t *testing.T) {
	t.Parallel()
	c := newClient()
	assert.NotNil(t, backends.AsVersioned[string](c))
	assert.NotNil(t, backends.AsWatcher(c))
	assert.Same(t, c, c.Described(backends.Description{System: "fake"}))
	assert.Nil(t, backends.AsVersioned[string](c))
}

func TestMap_Described(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[string]()
	assert.NotNil(t, backends.AsStamped[string](m))
	assert.NotNil(t, backends.AsWalker(m))
	assert.Same(t, m, m.Described(backends.Description{InProcess: true}))
	assert.Nil(t, backends.AsStamped[string](m))
	assert.Nil(t, backends.AsWalker(m))
}

package tiercache_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

func TestGetEntry_Versions(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	won, stored, err := here.SetIfAbsent(t.Context(), "k", row{"a", 7}, 0)
	require.NoError(t, err)
	require.True(t, stored)
	assert.Equal(t, store.Remembers("k").Version, won.Version)
	assert.EqualValues(t, 7, won.Source)

	e, ok, err := there.GetEntry(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, won.Version, e.Version)
	assert.EqualValues(t, 7, e.Source)
	e, _, err = there.GetEntry(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, tier.L1, e.Tier)
	assert.Zero(t, e.Version, "L1 has no stamp without coherence")
}

// A process sees the write of another one although its L1 has an older value.
func TestAtLeast_ReadsOtherProcessWrites(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	here, there := newProcess(t, store), newProcess(t, store)
	require.NoError(t, there.Set(t.Context(), "k", "old", 0))
	require.NoError(t, here.Set(t.Context(), "k", "new", 0))
	version := store.Remembers("k").Version

	value, _, err := there.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "old", value, "nobody tells it without coherence")
	e, ok, err := there.GetEntry(t.Context(), "k", tiercache.AtLeast(version))
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, "new", e.Value)
	assert.Equal(t, version, e.Version)
	value, _, err = there.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "new", value, "L1 has been refilled")
}

func TestAtLeast_Outdated(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	p := newProcess(t, store)
	require.NoError(t, p.Set(t.Context(), "k", "old", 0))
	old := store.Remembers("k").Version
	require.NoError(t, p.Set(t.Context(), "k", "new", 0))
	lost := store.Remembers("k").Version
	store.LoseTail(1)
	_, _, err := p.Get(t.Context(), "k", tiercache.AtLeast(lost))
	require.ErrorIs(t, err, tiercache.ErrOutdated)
	value, _, err := p.Get(t.Context(), "k", tiercache.AtLeast(old))
	require.NoError(t, err)
	assert.Equal(t, "old", value)

	require.NoError(t, p.Delete(t.Context(), "k"))
	_, ok, err := p.Get(t.Context(), "k", tiercache.AtLeast(old))
	require.NoError(t, err, "the deletion is newer")
	assert.False(t, ok)
	_, ok, err = p.Get(t.Context(), "unknown", tiercache.AtLeast(old))
	require.NoError(t, err)
	assert.False(t, ok)
}

func TestAtLeast_Refused(t *testing.T) {
	t.Parallel()
	p := newProcess(t, backendtest.NewStore[string]())
	_, _, err := p.Get(t.Context(), "k", tiercache.AtLeast(0))
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, _, err = p.Get(t.Context(), "k", tiercache.AtLeast(1), tiercache.SkipL2())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = p.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) { return "", nil }, tiercache.AtLeast(1))
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, _, err = newFixture(t).Get(t.Context(), "k", tiercache.AtLeast(backends.MakeVersion(1, 1)))
	require.ErrorIs(t, err, tiercache.ErrUnsupported)
}

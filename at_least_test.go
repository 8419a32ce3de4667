package tiercache_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
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

// A value that is too old is no value, and no hit in telemetry.
func TestAtLeast_OutdatedIsAnError(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	r := tiercachetest.NewRecorder()
	p := newProcess(t, store, r.Options()...)
	require.NoError(t, p.Set(t.Context(), "k", "old", 0))
	require.NoError(t, p.Set(t.Context(), "k", "new", 0))
	lost := store.Remembers("k").Version
	store.LoseTail(1)
	value, ok, err := p.Get(t.Context(), "k", tiercache.AtLeast(lost))
	require.ErrorIs(t, err, tiercache.ErrOutdated)
	assert.False(t, ok)
	assert.Empty(t, value)
	e, ok, err := p.GetEntry(t.Context(), "k", tiercache.AtLeast(lost))
	require.ErrorIs(t, err, tiercache.ErrOutdated)
	assert.False(t, ok)
	assert.Zero(t, e)
	tree := r.Tree(tiercachetest.Only(tracing.AttrReadResult, "error.type"), tiercachetest.WithoutDescriptions())
	assert.Equal(t, 2, strings.Count(tree, "error.type=outdated"), tree)
	assert.NotContains(t, tree, "read.result=hit")
}

// L1 has a value that its source calls newer than that of the version asked for. L2 has
// lost it, and so its version.
func TestAtLeast_NewerInL1BySource(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[row]()
	here, there := newProcess(t, store, byVersion()), newProcess(t, store, byVersion())
	require.NoError(t, here.Set(t.Context(), "k", row{"new", 7}, 0))
	store.Evict("k")
	require.NoError(t, there.Set(t.Context(), "k", row{"old", 5}, 0))
	version := store.Remembers("k").Version
	value, ok, err := here.Get(t.Context(), "k", tiercache.AtLeast(version))
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, row{"new", 7}, value)
	_, _, err = here.Get(t.Context(), "k", tiercache.AtLeast(version+1))
	require.ErrorIs(t, err, tiercache.ErrOutdated)
}

package backendtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// newStoreFaults returns a Faults over the client of a store.
func newStoreFaults() (*backendtest.Faults[string], *client) {
	c := newClient()
	return backendtest.WithFaults(c), c
}

func TestFaults_PassAbilitiesOn(t *testing.T) {
	t.Parallel()
	f, c := newStoreFaults()
	assert.Equal(t, c.Describe(), f.Describe())
	plain := backendtest.WithFaults(newStore())
	_, err := plain.Write(t.Context(), &write{Key: "key", Kind: tier.Set})
	require.ErrorIs(t, err, backends.ErrUnsupported)

	put(t, c, set("key", "value"))
	assert.Equal(t, c.Seen("key"), f.Seen("key"))
	_, _, ok := f.StoreTime()
	assert.True(t, ok)
	require.NoError(t, c.Close())
	require.ErrorIs(t, f.Watch(t.Context(), new(sink)), backends.ErrClosed)
}

func TestFaults_Write(t *testing.T) {
	t.Parallel()
	f, c := newStoreFaults()
	for kind, other := range map[tier.Kind]tier.Kind{tier.Set: tier.Delete, tier.Delete: tier.Set} {
		f.Always(kind, backendtest.ApplyThenFail(errDown))
		before := c.Seen("").Seq()
		result, err := f.Write(t.Context(), &write{Key: "key", Kind: kind})
		require.ErrorIs(t, err, errDown)
		assert.Zero(t, result)
		assert.Equal(t, before+1, c.Seen("").Seq(), "applied")
		result, err = f.Write(t.Context(), &write{Key: "key", Kind: other})
		require.NoError(t, err)
		assert.Equal(t, c.Seen(""), result.Version)
		f.Clear()
	}
	assert.Equal(t, 2, f.Calls(tier.Set))
	assert.Equal(t, 2, f.Calls(tier.Delete))
	_, err := f.Write(t.Context(), &write{Key: "key", Kind: tier.Kind(99)})
	var invalid *backends.InvalidWriteError
	require.ErrorAs(t, err, &invalid)
}

func TestFaults_GetIf(t *testing.T) {
	t.Parallel()
	f, c := newStoreFaults()
	v := put(t, c, set("key", "value"))
	f.Next(tier.Get, backendtest.ApplyThenFail(errDown))
	e, answer, err := f.GetIf(t.Context(), "key", 0)
	require.ErrorIs(t, err, errDown)
	assert.Zero(t, e)
	assert.Zero(t, answer)
	e, answer, err = f.GetIf(t.Context(), "key", 0)
	require.NoError(t, err)
	assert.Equal(t, "value", e.Value)
	assert.Equal(t, v, answer.Version)
	assert.Equal(t, 2, f.Calls(tier.Get))
}

func TestFaults_Stamps(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[string]()
	f := backendtest.WithFaults(m)
	require.NotNil(t, backends.AsStamped[string](f))
	stamp := backends.Stamp{Epoch: 1}
	f.Next(tier.Set, backendtest.Lose(errDown))
	require.ErrorIs(t, f.SetStamped(t.Context(), "key", entry{}, stamp), errDown)
	assert.Empty(t, m.Snapshot())
	require.NoError(t, f.SetStamped(t.Context(), "key", entry{Value: "value"}, stamp))
	f.Next(tier.Get, backendtest.Lose(errDown))
	_, _, _, err := f.GetStamped(t.Context(), "key")
	require.ErrorIs(t, err, errDown)
	e, got, ok, err := f.GetStamped(t.Context(), "key")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "value", e.Value)
	assert.Equal(t, stamp, got)
	walked := 0
	require.NoError(t, f.Walk(t.Context(), func(string, backends.Stamp) bool { walked++; return true }))
	assert.Equal(t, 1, walked)
}

// The fault of a batch strikes all of it.
func TestFaults_Batch(t *testing.T) {
	t.Parallel()
	f, c := newStoreFaults()
	f.Next(tier.Set, backendtest.ApplyThenFail(errDown))
	f.Next(tier.Delete, backendtest.FailBefore(errDown))
	done := make([]backends.Done, 2)
	f.WriteMany(t.Context(), []write{remove("a"), set("b", "1")}, done)
	assert.Equal(t, []backends.Done{{Err: errDown}, {Err: errDown}}, done)
	assert.Len(t, mustHold(t, c, "b"), 1, "applied")
	done = make([]backends.Done, 1)
	f.WriteMany(t.Context(), []write{remove("b")}, done)
	assert.True(t, backends.CertainlyNotApplied(done[0].Err))
	assert.Len(t, mustHold(t, c, "b"), 1)

	f.Next(tier.Get, backendtest.Lose(errDown))
	got := make([]backends.Got[string], 1)
	f.GetMany(t.Context(), []string{"b"}, got)
	assert.Equal(t, []backends.Got[string]{{Err: errDown}}, got)
	f.GetMany(t.Context(), []string{"b"}, got)
	assert.Equal(t, "1", got[0].Entry.Value)
	assert.Equal(t, []int{2, 1, 1}, []int{f.Calls(tier.Get), f.Calls(tier.Set), f.Calls(tier.Delete)})
}

// mustHold returns the value of key.
func mustHold(t *testing.T, c *client, key string) string {
	t.Helper()
	e, ok, err := c.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok)
	return e.Value
}

// Each element has a fault of its own, and the others are not touched by it.
func TestFaults_NextAt(t *testing.T) {
	t.Parallel()
	const n = 4
	keys := []string{"a", "b", "c", "d"}
	writes := make([]write, n)
	for i, key := range keys {
		writes[i] = set(key, key)
	}
	for i := range n {
		for name, tc := range map[string]struct {
			fault   backendtest.Fault
			applied bool
		}{
			"lost":    {backendtest.Lose(errDown), false},
			"applied": {backendtest.ApplyThenFail(errDown), true},
		} {
			f, c := newStoreFaults()
			f.NextAt(tier.Set, i, tc.fault)
			done := make([]backends.Done, n)
			f.WriteMany(t.Context(), writes, done)
			for j, d := range done {
				_, ok, err := c.Get(t.Context(), keys[j])
				require.NoError(t, err)
				assert.Equal(t, j != i || tc.applied, ok, "%s at %d: %d", name, i, j)
				if j == i {
					assert.Equal(t, backends.Done{Err: errDown}, d)
				} else {
					assert.NoError(t, d.Err)
					assert.NotZero(t, d.Result.Version)
				}
			}
			f.WriteMany(t.Context(), writes, done)
			assert.NoError(t, done[i].Err, "the next batch has none")
		}
	}
}

func TestFaults_NextAt_SeveralAndReads(t *testing.T) {
	t.Parallel()
	f, c := newStoreFaults()
	put(t, c, set("a", "1"))
	put(t, c, set("d", "4"))
	f.NextAt(tier.Get, 1, backendtest.Lose(errDown), nil, backendtest.ApplyThenFail(errOther), backendtest.Lose(errDown))
	f.NextAt(tier.Get, 0, backendtest.Delay(0))
	got := make([]backends.Got[string], 4)
	f.GetMany(t.Context(), []string{"a", "b", "c", "d"}, got)
	assert.Equal(t, "1", got[0].Entry.Value)
	assert.Equal(t, backends.Got[string]{Err: errDown}, got[1])
	assert.Equal(t, backends.Got[string]{}, got[2])
	assert.Equal(t, backends.Got[string]{Err: errOther}, got[3])

	f.NextAt(tier.Get, 0, backendtest.Lose(errDown))
	f.Clear()
	f.GetMany(t.Context(), []string{"a"}, got[:1])
	assert.NoError(t, got[0].Err)
}

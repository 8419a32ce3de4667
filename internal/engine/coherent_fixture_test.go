package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

const bound = time.Second

// instance is one process of a service: a cache, and its way to the store that all share.
type instance struct {
	*tiercache.Cache[string]
	l1, l2 *backendtest.Faults[string]
	stamps *backendtest.Map[string]
	client *backendtest.Client[string]
	moves  *moves
}

// moves counts the values that a client's reads bring.
type moves struct {
	*backendtest.Client[string]
	moved atomic.Int64
}

func (m *moves) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[string], backends.Answer, error) {
	entry, answer, err := m.Client.GetIf(ctx, key, have)
	if answer.Found == backends.Hit {
		m.moved.Add(1)
	}
	return entry, answer, err
}

// newInstance returns an instance that is in sync.
func newInstance(t *testing.T, store *backendtest.Store[string], opts ...tiercache.Option) *instance {
	t.Helper()
	i := &instance{stamps: backendtest.NewMap[string](), client: store.Client()}
	i.moves = &moves{Client: i.client}
	i.l1, i.l2 = backendtest.WithFaults[string](i.stamps), backendtest.WithFaults[string](i.moves)
	opts = append([]tiercache.Option{
		tiercache.WithTelemetry(tracing.Disabled()), tiercache.WithCoherence(bound, tiercache.AskL2),
	}, opts...)
	var err error
	i.Cache, err = tiercache.New("users", i.l1, i.l2, opts...)
	require.NoError(t, err)
	<-i.client.Watched()
	require.True(t, i.client.Sync())
	return i
}

func (i *instance) close(t *testing.T) {
	t.Helper()
	require.NoError(t, i.Close(t.Context()))
}

// value returns the value at the key, and how it was found, in short: "v (l1)" is a hit
// in L1 that is not flagged.
func (i *instance) read(t *testing.T) string {
	t.Helper()
	entry, ok, err := i.GetEntry(t.Context(), "k")
	switch {
	case err != nil:
		return "error"
	case !ok:
		return "none"
	case entry.Stale:
		return fmt.Sprintf("%s (stale)", entry.Value)
	default:
		return fmt.Sprintf("%s (%s)", entry.Value, entry.Tier)
	}
}

func (i *instance) set(t *testing.T, value string) {
	t.Helper()
	require.NoError(t, i.Set(t.Context(), "k", value, time.Hour))
}

func (i *instance) stamp(t *testing.T) backends.Stamp {
	t.Helper()
	_, stamp, _, err := i.stamps.GetStamped(t.Context(), "k")
	require.NoError(t, err)
	return stamp
}

// two runs a test with two instances over one store, in a bubble.
func two(t *testing.T, test func(t *testing.T, store *backendtest.Store[string], here, there *instance), opts ...tiercache.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := backendtest.NewStore[string]()
		here, there := newInstance(t, store, opts...), newInstance(t, store)
		defer there.close(t)
		defer here.close(t)
		test(t, store, here, there)
	})
}

// A write of one instance drops the copy of another, and the writer's own copy stays.
func TestCoherence(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *backendtest.Store[string], here, there *instance) {
		here.set(t, "v1")
		assert.Equal(t, "v1 (l1)", here.read(t))
		assert.Equal(t, "v1 (l2)", there.read(t))
		assert.Equal(t, "v1 (l1)", there.read(t))
		require.True(t, here.client.Sync())
		assert.Equal(t, "v1 (l1)", here.read(t), "it was its own message")

		there.set(t, "v2")
		assert.Equal(t, "v1 (l1)", here.read(t), "within the bound")
		require.True(t, here.client.Sync())
		assert.Equal(t, "v2 (l2)", here.read(t))
		assert.Equal(t, "v2 (l1)", here.read(t))

		require.NoError(t, there.Delete(t.Context(), "k"))
		require.True(t, here.client.Sync())
		assert.Equal(t, "none", here.read(t))
	})
}

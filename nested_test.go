package tiercache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
)

// three is a cache over L1 and (L2 over L3), all of whose telemetry is captured.
type three struct {
	*tiercache.Cache[string]
	l1    *backendtest.Map[string]
	inner *fixture
}

func newThree(t *testing.T, c *recorder, opts ...tiercache.Option) three {
	t.Helper()
	inner := newFixture(t, append(c.options(), opts...)...)
	l1 := backendtest.NewMap[string]()
	outer, err := tiercache.New("outer", l1, inner.AsBackend(), c.options()...)
	require.NoError(t, err)
	return three{outer, l1, inner}
}

func TestNestedSuite(t *testing.T) {
	t.Parallel()
	backendtest.Suite[string]{
		New: func(t *testing.T) backends.Backend[string] {
			t.Helper()
			f := newFixture(t)
			return f.AsBackend()
		},
		Value:  func(i int) string { return string(rune('a' + i)) },
		Bubble: true,
	}.Run(t)
}

// A nested cache declares none of its tiers' abilities: its versions would be those of one
// tier, and its log would lack the writes of the other.
func TestNestedHasNoAbilities(t *testing.T) {
	t.Parallel()
	l1, l2 := backendtest.NewMap[string](), backendtest.NewStore[string]().Client()
	require.NotZero(t, backends.DescriptionOf(l1).Abilities)
	require.NotZero(t, backends.DescriptionOf(l2).Abilities)
	cache, err := tiercache.New("inner", l1, l2)
	require.NoError(t, err)
	defer func() { assert.NoError(t, cache.Close(t.Context())) }()
	nested := cache.AsBackend()
	assert.Zero(t, backends.DescriptionOf(nested).Abilities)
	assert.Nil(t, backends.AsVersioned(nested))
	assert.Nil(t, backends.AsStamped(nested))
}

// The spans of the inner cache are children of the outer cache's spans of L2,
// which stay internal, because the inner cache describes its calls itself.
func TestNestedSpans(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	n := newThree(t, c)
	ctx, span := c.caller(t.Context())
	require.NoError(t, n.Set(ctx, "k", "v", 0))
	require.NoError(t, n.l1.Delete(ctx, "k"))
	_, ok, err := n.Get(ctx, "k")
	require.NoError(t, err)
	assert.True(t, ok)
	span.End()
	assert.Equal(t, `caller (internal)
  set outer (internal)
    set outer l1 (internal)
    set outer l2 (internal)
      set users (internal)
        set users l1 (internal)
        set users l2 (client)
  get outer (internal)
    get outer l2 (internal)
    refill outer l1 (internal)
`, c.Tree(tiercachetest.Only()))
}

// The outcome for the outer cache of a write that the inner one made in part.
func TestNestedOutcomes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault1, fault2 backendtest.Fault // of the inner tiers
		want           tier.Outcome
		events         int // of both caches
	}{
		"both applied":    {nil, nil, tier.Applied, 0},
		"partly written":  {nil, backendtest.FailBefore(errRefused), tier.Unknown, 2},
		"not written":     {backendtest.FailBefore(errRefused), nil, tier.Failed, 1},
		"perhaps written": {backendtest.Lose(errRefused), nil, tier.Unknown, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newRecorder()
			n := newThree(t, c)
			n.inner.L1.Next(tier.Set, test.fault1)
			n.inner.L2.Next(tier.Set, test.fault2)
			err := n.Set(t.Context(), secretKey, "v", time.Hour)
			assert.Len(t, c.Inconsistencies(), test.events)
			if test.want == tier.Applied {
				require.NoError(t, err)
			} else {
				assert.Equal(t, test.want, asError(t, err).L2.Outcome)
			}
			require.NoError(t, n.Close(t.Context()))
			require.NoError(t, n.inner.Close(t.Context()))
		})
	}
}

// A value that the innermost tier cannot store is refused before any is touched.
func TestNestedStaging(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	n := newThree(t, c)
	n.inner.L2.Next(tier.Stage, backendtest.FailBefore(errRefused))
	err := n.Set(t.Context(), "k", "v", 0)
	require.ErrorIs(t, err, errRefused)
	assert.Empty(t, n.l1.Snapshot())
	assert.Zero(t, writeCalls(n.inner.L1))
	assert.Empty(t, c.Inconsistencies())
}

func TestNestedRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.AsBackend()
	require.ErrorIs(t, b.Set(t.Context(), "", backends.Entry[string]{}), tiercache.ErrInvalid)
	require.NoError(t, f.Close(t.Context()))
	err := b.Set(t.Context(), "k", backends.Entry[string]{})
	require.ErrorIs(t, err, tiercache.ErrClosed)
	assert.True(t, backends.CertainlyNotApplied(err))
	assert.True(t, backends.CertainlyNotApplied(b.Delete(t.Context(), "k")))
}

// A cache is in the process only if both of its tiers are.
func TestNestedDescription(t *testing.T) {
	t.Parallel()
	for _, l1 := range []bool{false, true} {
		for _, l2 := range []bool{false, true} {
			tier1 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{InProcess: l1, System: "one"})
			tier2 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{InProcess: l2, System: "two"})
			cache, err := tiercache.New("users", tier1, tier2)
			if l2 && !l1 {
				require.ErrorIs(t, err, tiercache.ErrInvalid, "the order is wrong")
				continue
			}
			require.NoError(t, err)
			want := backends.Description{InProcess: l1 && l2, Instrumented: true}
			assert.Equal(t, want, backends.DescriptionOf(cache.AsBackend()))
			require.NoError(t, cache.Close(t.Context()))
		}
	}
}

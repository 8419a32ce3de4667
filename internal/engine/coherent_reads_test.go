package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A Get that leaves L1 out sees the write of another instance before it is told of it.
func TestCoherence_GetSkipsL1(t *testing.T) {
	t.Parallel()
	two(t, func(t *testing.T, _ *store, here, there *instance) {
		here.set(t, "old")
		there.set(t, "new")
		value, _, err := here.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, "old", value, "within the bound")
		value, _, err = here.Get(t.Context(), "k", tiercache.SkipL1())
		require.NoError(t, err)
		assert.Equal(t, "new", value)
	})
}

// unversionedReads is a client whose reads tell no version, as of entries that another
// program has written.
type unversionedReads struct{ *backendtest.Client[string] }

func (u unversionedReads) GetIf(ctx context.Context, key string, _ backends.Version) (backends.Entry[string], backends.Answer, error) {
	entry, answer, err := u.Client.GetIf(ctx, key, 0)
	answer.Version = 0
	return entry, answer, err
}

// An entry of L2 without a version is stored in L1, and never fresh there. Where L1 refuses it,
// the read says so. It proves no version that a caller asks for.
func TestCoherence_UnversionedEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, rec := backendtest.NewStore[string](), tiercachetest.NewRecorder()
		here := &instance{stamps: backendtest.NewMap[string](), client: s.Client()}
		here.l1, here.l2 = backendtest.WithFaults[string](here.stamps), backendtest.WithFaults[string](unversionedReads{here.client})
		var err error
		here.Cache, err = tiercache.New("users", here.l1, here.l2, append(rec.Options(), tiercache.WithCoherence(bound, tiercache.AskL2))...)
		require.NoError(t, err)
		<-here.client.Watched()
		require.NoError(t, s.Client().Set(t.Context(), "k", backends.Entry[string]{Value: "v"}))
		sync2(t, here)
		here.l1.Next(tier.Set, refuse)
		assert.Equal(t, "v (l2)", here.read(t))
		assert.Contains(t, rec.Tree(), string(tracing.AttrRefill)+"=failed")
		assert.Equal(t, "v (l2)", here.read(t))
		assert.Equal(t, "v", here.stamps.Snapshot()["k"].Value)
		assert.Equal(t, "v (l2)", here.read(t), "it is not fresh")
		_, _, err = here.Get(t.Context(), "k", tiercache.AtLeast(s.Remembers("k").Version))
		require.ErrorIs(t, err, tiercache.ErrOutdated)
		here.close(t)
	})
}

// A policy that cancels the context of its last call leaves L1's entry fresh all the same.
func TestCoherence_PolicyCancels(t *testing.T) {
	t.Parallel()
	cancels := writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
		if err := l2.Write(ctx); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		l1.Go(ctx, func(error) {})
		cancel()
		return nil
	})
	two(t, func(t *testing.T, _ *store, here, _ *instance) {
		here.l1.Next(tier.Set,
			func(ctx context.Context, apply func(context.Context) error) error {
				time.Sleep(time.Millisecond)
				return apply(context.WithoutCancel(ctx)) // it was quick enough
			},
			func(ctx context.Context, apply func(context.Context) error) error {
				assert.NoError(t, ctx.Err())
				return apply(ctx)
			})
		here.set(t, "v")
		time.Sleep(time.Second / 2)
		assert.Equal(t, 2, here.l1.Calls(tier.Set), "the second one stamps the entry")
		assert.Equal(t, "v (l1)", here.read(t))
	}, tiercache.WithWritePolicy(cancels))
}

// A policy whose second write of L2 fails has written it all the same: L1's entry is fresh.
func TestCoherence_PolicyWritesTwice(t *testing.T) {
	t.Parallel()
	twice := writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
		if err := l2.Write(ctx); err != nil {
			return err
		}
		_ = l2.Write(ctx)
		return l1.Write(ctx)
	})
	two(t, func(t *testing.T, _ *store, here, _ *instance) {
		here.l2.Next(tier.Set, nil, refuse)
		require.NoError(t, here.Set(t.Context(), "k", "v", time.Hour))
		assert.Equal(t, "v (l1)", here.read(t))
	}, tiercache.WithWritePolicy(twice))
}

// A cache without coherence has no metrics of it, not even zero.
func TestCoherence_OffHasNoMetrics(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	cache, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewStore[string]().Client(), tiercache.WithTelemetry(
		tracing.Disabled(), tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))))
	require.NoError(t, err)
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			assert.NotEqual(t, tracing.MetricInvalidations, m.Name)
		}
	}
	require.NoError(t, cache.Close(t.Context()))
}

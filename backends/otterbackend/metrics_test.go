package otterbackend_test

import (
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/tracing"
)

func collect(t *testing.T, reader *sdkmetric.ManualReader) []metricdata.ScopeMetrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	return got.ScopeMetrics
}

// figures are those of one store, or of several with one name.
type figures struct {
	name                       string
	entries, weight, evictions int64
	weighed                    bool
}

func points(all []figures, of func(f figures) (value int64, there bool)) []metricdata.DataPoint[int64] {
	var points []metricdata.DataPoint[int64]
	for _, f := range all {
		if value, there := of(f); there {
			points = append(points, metricdata.DataPoint[int64]{
				Value: value, Attributes: attribute.NewSet(attribute.String("tiercache.store.name", f.name)),
			})
		}
	}
	return points
}

func requireMetrics(t *testing.T, reader *sdkmetric.ManualReader, all ...figures) {
	t.Helper()
	sum := func(monotonic bool, points []metricdata.DataPoint[int64]) metricdata.Sum[int64] {
		return metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: monotonic, DataPoints: points}
	}
	want := metricdata.ScopeMetrics{Metrics: []metricdata.Metrics{{
		Name: "tiercache.store.entry.count", Unit: "{entry}", Description: "Number of entries in the store.",
		Data: sum(false, points(all, func(f figures) (int64, bool) { return f.entries, true })),
	}, {
		Name: "tiercache.store.weight", Unit: "{weight}", Description: "Sum of the weights of the entries in the store.",
		Data: sum(false, points(all, func(f figures) (int64, bool) { return f.weight, f.weighed })),
	}, {
		Name: "tiercache.store.evictions", Unit: "{entry}", Description: "Number of entries that had to make room for others.",
		Data: sum(true, points(all, func(f figures) (int64, bool) { return f.evictions, true })),
	}}}
	want.Scope.Name = "github.com/tiercache/tiercache/backends/otterbackend"
	want.Scope.Version = tracing.Version
	want.Scope.SchemaURL = tracing.SchemaURL
	got := collect(t, reader)
	require.Len(t, got, 1)
	metricdatatest.AssertEqual(t, want, got[0], metricdatatest.IgnoreTimestamp())
}

func fill(t *testing.T, b *otterbackend.Backend[string], entries int, expiresAt time.Time) {
	t.Helper()
	for i := range entries {
		mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{Value: "four", ExpiresAt: expiresAt})
	}
	time.Sleep(2 * time.Second) // lets the upkeep finish
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		provider := otterbackend.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
		small := open(t, provider, otterbackend.WithMeterProvider(nil), otterbackend.WithName(""), otterbackend.WithMaximumSize(10))
		weighed := open(t, provider, otterbackend.WithName("orders"),
			otterbackend.WithMaximumWeight(100, func(_, value string) uint32 { return uint32(len(value)) }))
		requireMetrics(t, reader, figures{name: "otter"}, figures{name: "orders", weighed: true})

		fill(t, small, 25, time.Time{})
		fill(t, weighed, 30, time.Time{})
		requireMetrics(t, reader,
			figures{name: "otter", entries: 10, evictions: 15},
			figures{name: "orders", entries: 25, weight: 100, evictions: 5, weighed: true})

		// A store of the same name is added; entries that expire, are deleted or
		// replaced are not evicted.
		same := open(t, provider)
		fill(t, same, 4, time.Time{})
		fill(t, same, 3, time.Now().Add(time.Minute))
		require.NoError(t, same.Delete(t.Context(), "3"))
		requireMetrics(t, reader,
			figures{name: "otter", entries: 13, evictions: 15},
			figures{name: "orders", entries: 25, weight: 100, evictions: 5, weighed: true})
		time.Sleep(2 * time.Minute)
		assert.Equal(t, otterbackend.Stats{}, same.Stats())
		assert.Equal(t, otterbackend.Stats{Entries: 25, Weight: 100, Evictions: 5}, weighed.Stats())

		for _, b := range []*otterbackend.Backend[string]{small, weighed, same, small} {
			require.NoError(t, b.Close())
		}
		assert.Empty(t, collect(t, reader))
		assert.Equal(t, otterbackend.Stats{Entries: 10, Evictions: 15}, small.Stats(), "it goes on to work")
	})
}

func TestStatsOfFromCache(t *testing.T) {
	t.Parallel()
	b := fromCache(t, nil)
	mustSet(t, b, "k", backends.Entry[string]{})
	assert.Equal(t, otterbackend.Stats{Entries: 1}, b.Stats())
}

// A meter provider is there as long as the process, and must not keep a store
// that nobody has closed, nor its goroutines. Not parallel, because goroutines of
// other tests would be found.
func TestForgottenClose(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	func() {
		b, err := otterbackend.New[string](otterbackend.WithMeterProvider(provider))
		require.NoError(t, err)
		mustSet(t, b, "k", backends.Entry[string]{})
		require.Len(t, collect(t, reader), 1)
	}()
	var leak error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		runtime.GC()
		if leak = goleak.Find(); leak == nil { // after a while
			break
		}
	}
	require.NoError(t, leak)
	require.Empty(t, collect(t, reader))
}

var errMeter = errors.New("no instruments here")

type badProvider struct {
	noop.MeterProvider

	bad string
}

func (p badProvider) Meter(string, ...metric.MeterOption) metric.Meter { return badMeter{bad: p.bad} }

type badMeter struct {
	noop.Meter

	bad string
}

func (m badMeter) Int64ObservableUpDownCounter(name string, _ ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return noop.Int64ObservableUpDownCounter{}, m.errorOf(name)
}

func (m badMeter) Int64ObservableCounter(name string, _ ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return noop.Int64ObservableCounter{}, m.errorOf(name)
}

func (m badMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return badRegistration{err: m.errorOf("unregister")}, m.errorOf("callback")
}

func (m badMeter) errorOf(what string) error {
	if what == m.bad {
		return errMeter
	}
	return nil
}

type badRegistration struct {
	noop.Registration

	err error
}

func (r badRegistration) Unregister() error { return r.err }

func TestMeterErrors(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{otterbackend.MetricEntryCount, otterbackend.MetricWeight, otterbackend.MetricEvictions, "callback"} {
		b, err := otterbackend.New[string](otterbackend.WithMeterProvider(badProvider{bad: bad}),
			otterbackend.WithMaximumWeight(1, func(string, string) uint32 { return 1 }))
		assert.Nil(t, b, bad)
		require.ErrorIs(t, err, errMeter, bad)
		require.ErrorContains(t, err, "otterbackend: ", bad)
	}
	b, err := otterbackend.New[string](otterbackend.WithMeterProvider(badProvider{bad: "unregister"}))
	require.NoError(t, err)
	require.ErrorIs(t, b.Close(), errMeter)
}

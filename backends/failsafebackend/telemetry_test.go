package failsafebackend_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

func TestAttempts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sequence string
		opts     []failsafebackend.Option
		want     []attribute.KeyValue
	}{
		"one":                      {"a", nil, nil},
		"one that failed":          {"l", nil, nil},
		"two":                      {"fa", nil, []attribute.KeyValue{attribute.Int("tiercache.attempts", 2)}},
		"three that failed":        {"fff", nil, []attribute.KeyValue{attribute.Int("tiercache.attempts", 3)}},
		"two that failed":          {"fl", nil, []attribute.KeyValue{attribute.Int("tiercache.attempts", 2)}},
		"two, then open":           {"ff", []failsafebackend.Option{failsafebackend.WithCircuitBreaker(2, time.Hour)}, []attribute.KeyValue{attribute.Int("tiercache.attempts", 2)}},
		"without a recording span": {"fa", nil, nil},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					script(faults, w.call, test.sequence)
					b := decorate(t, faults, append(test.opts, failsafebackend.WithRetry(2, 1, 1))...)
					spans := tracetest.NewSpanRecorder()
					sampler := sdktrace.AlwaysSample()
					if name == "without a recording span" {
						sampler = sdktrace.NeverSample()
					}
					provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sampler))
					ctx, span := provider.Tracer("test").Start(t.Context(), "tier")
					_ = w.write(ctx, b)
					span.End()
					if name == "without a recording span" {
						assert.Empty(t, spans.Ended())
						return
					}
					require.Len(t, spans.Ended(), 1, "no span of its own")
					got := spans.Ended()[0]
					assert.Equal(t, test.want, got.Attributes())
					assert.Equal(t, sdktrace.Status{}, got.Status())
					assert.Empty(t, got.Events())
				})
			})
		}
	}
}

func collect(t *testing.T, reader *sdkmetric.ManualReader) []metricdata.ScopeMetrics {
	t.Helper()
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &got))
	return got.ScopeMetrics
}

// counts is the exported number of breakers with these attributes and states.
func counts(breakers ...breakerState) metricdata.ScopeMetrics {
	var points []metricdata.DataPoint[int64]
	for _, b := range breakers {
		for i, state := range []string{"closed", "half_open", "open"} {
			points = append(points, metricdata.DataPoint[int64]{
				Value:      b.counts[i],
				Attributes: attribute.NewSet(append(slices.Clip(b.attrs), attribute.String("tiercache.circuit_breaker.state", state))...),
			})
		}
	}
	s := metricdata.ScopeMetrics{Metrics: []metricdata.Metrics{{
		Name:        "tiercache.circuit_breaker.count",
		Description: "Number of circuit breakers that are in the state.",
		Unit:        "{circuit_breaker}",
		Data: metricdata.Sum[int64]{
			DataPoints:  points,
			Temporality: metricdata.CumulativeTemporality,
			IsMonotonic: false,
		},
	}}}
	s.Scope.Name = "github.com/tiercache/tiercache/backends/failsafebackend"
	s.Scope.Version = tracing.Version
	s.Scope.SchemaURL = tracing.SchemaURL
	return s
}

type breakerState struct {
	attrs  []attribute.KeyValue
	counts [3]int64 // closed, half-open, open
}

// The counts of one breaker.
var (
	closed   = [3]int64{1, 0, 0}
	halfOpen = [3]int64{0, 1, 0}
	open     = [3]int64{0, 0, 1}
)

func TestState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader := sdkmetric.NewManualReader()
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		cb := circuitbreaker.NewBuilder[any]().WithDelay(time.Minute).Build()
		faults := newFaults().Described(backends.Description{System: "redis", ServerAddress: "cache.example", ServerPort: 6379})
		b, err := failsafebackend.New(faults,
			failsafebackend.WithCircuitBreakerPolicy(cb), failsafebackend.WithMeterProvider(provider), failsafebackend.WithMeterProvider(nil))
		require.NoError(t, err)
		other, err := failsafebackend.New(newFaults(),
			failsafebackend.WithCircuitBreaker(1, time.Minute), failsafebackend.WithMeterProvider(provider))
		require.NoError(t, err)
		named, err := failsafebackend.New(faults, failsafebackend.WithName("orders"),
			failsafebackend.WithCircuitBreaker(1, time.Minute), failsafebackend.WithMeterProvider(provider))
		require.NoError(t, err)

		check := func(state [3]int64) {
			t.Helper()
			server := []attribute.KeyValue{
				attribute.String("db.system.name", "redis"),
				attribute.String("server.address", "cache.example"),
				attribute.Int("server.port", 6379),
			}
			got := collect(t, reader)
			require.Len(t, got, 1)
			metricdatatest.AssertEqual(t, counts(
				breakerState{append(server, attribute.String("tiercache.circuit_breaker.name", "redis")), state},
				breakerState{[]attribute.KeyValue{attribute.String("tiercache.circuit_breaker.name", "default")}, closed},
				breakerState{append(server, attribute.String("tiercache.circuit_breaker.name", "orders")), closed},
			), got[0], metricdatatest.IgnoreTimestamp())
		}
		check(closed)
		faults.Next(tier.Set, backendtest.Lose(errLost))
		require.Equal(t, errLost, b.Set(t.Context(), "k", entry("v")))
		check(open)
		time.Sleep(time.Minute)
		check(open)
		cancelled(t, b, faults, backendtest.Hang())
		check(halfOpen)
		require.NoError(t, b.Set(t.Context(), "k", entry("v")))
		check(closed)

		for _, b := range []interface{ Close() error }{b, other, named, b} {
			require.NoError(t, b.Close())
		}
		assert.Empty(t, collect(t, reader))
		require.NoError(t, b.Set(t.Context(), "k", entry("v")), "it goes on to work")
	})
}

// Two backends of one kind on one meter: both are seen, and a closed one is not
// seen any more.
func TestState_EqualAttributesAddUp(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	attrs := []attribute.KeyValue{attribute.String("tiercache.circuit_breaker.name", "default")}
	check := func(want [3]int64) {
		t.Helper()
		got := collect(t, reader)
		require.Len(t, got, 1)
		metricdatatest.AssertEqual(t, counts(breakerState{attrs, want}), got[0], metricdatatest.IgnoreTimestamp())
	}
	create := func() (*failsafebackend.Backend[string], circuitbreaker.CircuitBreaker[any]) {
		cb := circuitbreaker.NewWithDefaults[any]()
		return decorate(t, newFaults(), failsafebackend.WithCircuitBreakerPolicy(cb), failsafebackend.WithMeterProvider(provider)), cb
	}
	first, _ := create()
	check([3]int64{1, 0, 0})
	_, second := create()
	check([3]int64{2, 0, 0})
	second.Open()
	check([3]int64{1, 0, 1})
	require.NoError(t, first.Close())
	check([3]int64{0, 0, 1})
}

// Without a breaker there is nothing to observe.
func TestState_NoBreaker(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	decorate(t, newFaults(), failsafebackend.WithRetry(1, 1, 1),
		failsafebackend.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	assert.Empty(t, collect(t, reader))
}

var errMeter = errors.New("no instruments here")

type badProvider struct{ noop.MeterProvider }

func (badProvider) Meter(string, ...metric.MeterOption) metric.Meter { return badMeter{} }

type badMeter struct{ noop.Meter }

func (badMeter) Int64ObservableUpDownCounter(string, ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return nil, errMeter
}

func TestState_MeterError(t *testing.T) {
	t.Parallel()
	b, err := failsafebackend.New(newFaults(), failsafebackend.WithCircuitBreaker(1, 1), failsafebackend.WithMeterProvider(badProvider{}))
	assert.Nil(t, b)
	require.ErrorIs(t, err, errMeter)
}

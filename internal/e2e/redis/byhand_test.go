package redis_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

var errMiss = errors.New("a miss")

// site is what all spans and records of one sort share, built once.
type site struct {
	name   string
	start  []trace.SpanStartOption
	end    []attribute.KeyValue
	record []metric.RecordOption
}

// byHand is what a careful engineer writes who has no library: the calls of a map
// and of the client, with spans and records of a histogram around them.
// TestByHand shows that they are those of a cache.
type byHand struct {
	l1     *backendtest.Map[[]byte]
	client *redis.Client
	tracer trace.Tracer

	set, setL1, setL2 site
	get, getL2        site
	operation, tier   metric.Float64Histogram
	misses1, hits2    atomic.Int64 // as for an observable counter
}

func newByHand(tb testing.TB, client *redis.Client, l2 backends.Description, tp trace.TracerProvider, mp metric.MeterProvider) *byHand {
	tb.Helper()
	meter := mp.Meter(tracing.ScopeName,
		metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	histogram := func(name string) metric.Float64Histogram {
		h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(
			1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4,
			1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))
		require.NoError(tb, err)
		return h
	}
	h := &byHand{
		l1: backendtest.NewMap[[]byte](), client: client, tracer: tp.Tracer(tracing.ScopeName),
		operation: histogram(tracing.MetricOperationDuration), tier: histogram(tracing.MetricTierOperationDuration),
	}
	server := func(command string) []attribute.KeyValue {
		return []attribute.KeyValue{
			attribute.String("db.system.name", l2.System), attribute.String("db.operation.name", command),
			attribute.String("server.address", l2.ServerAddress), attribute.Int("server.port", l2.ServerPort),
		}
	}
	applied, hit := tracing.AttrOutcome.String("applied"), tracing.AttrLookupResult.String("hit")
	h.set = newSite("set users", trace.SpanKindInternal, "set", tracing.AttrPolicy.String("sequential"), nil)
	h.set.end = []attribute.KeyValue{
		tracing.AttrL1Outcome.String("applied"), tracing.AttrL2Outcome.String("applied"), tracing.AttrConsistent.Bool(true),
	}
	h.setL1 = newSite("set users l1", trace.SpanKindInternal, "set", tracing.AttrTier.String("l1"), nil, applied)
	h.setL2 = newSite("set users l2", trace.SpanKindClient, "set", tracing.AttrTier.String("l2"), server("SET"), applied)
	read := tracing.AttrReadResult.String("hit")
	h.get = newSite("get users", trace.SpanKindInternal, "get", tracing.AttrPolicy.String("sequential"), nil, read)
	h.get.end = []attribute.KeyValue{read, tracing.AttrTier.String("l2"), tracing.AttrRefill.String("disabled")}
	h.getL2 = newSite("get users l2", trace.SpanKindClient, "get", tracing.AttrTier.String("l2"), server("GET"), hit)
	return h
}

// newSite measures what its span ends with, except for what an operation sets by
// itself.
func newSite(name string, kind trace.SpanKind, operation string, own attribute.KeyValue, server []attribute.KeyValue, end ...attribute.KeyValue) site {
	attrs := []attribute.KeyValue{tracing.AttrCache.String("users"), tracing.AttrOperation.String(operation), own}
	return site{
		name:   name,
		start:  []trace.SpanStartOption{trace.WithAttributes(slices.Concat(attrs, server)...), trace.WithSpanKind(kind)},
		end:    end,
		record: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(slices.Concat(attrs, end)...))},
	}
}

func entryOf(value []byte, ttl time.Duration) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: value, ExpiresAt: time.Now().Add(ttl)}
}

func (h *byHand) setBare(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := h.l1.Set(ctx, key, entryOf(value, ttl)); err != nil {
		return err
	}
	return h.client.Set(ctx, key, value, ttl).Err()
}

func (h *byHand) setTraced(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	begin := time.Now()
	ctx, span := h.tracer.Start(ctx, h.set.name, h.set.start...)
	defer span.End()
	if err := h.traceTier(ctx, &h.setL1, func(ctx context.Context) error {
		return h.l1.Set(ctx, key, entryOf(value, ttl))
	}); err != nil {
		return err
	}
	if err := h.traceTier(ctx, &h.setL2, func(ctx context.Context) error {
		return h.client.Set(ctx, key, value, ttl).Err()
	}); err != nil {
		return err
	}
	h.operation.Record(ctx, time.Since(begin).Seconds(), h.set.record...)
	span.SetAttributes(h.set.end...)
	return nil
}

func (h *byHand) traceTier(ctx context.Context, s *site, call func(ctx context.Context) error) error {
	begin := time.Now()
	ctx, span := h.tracer.Start(ctx, s.name, s.start...)
	defer span.End()
	if err := call(ctx); err != nil {
		return err
	}
	h.tier.Record(ctx, time.Since(begin).Seconds(), s.record...)
	span.SetAttributes(s.end...)
	return nil
}

func (h *byHand) getBare(ctx context.Context, key string) (value []byte, err error) {
	if entry, ok, err := h.l1.Get(ctx, key); ok || err != nil {
		return entry.Value, err
	}
	return h.client.Get(ctx, key).Bytes()
}

func (h *byHand) getTraced(ctx context.Context, key string) (value []byte, err error) {
	if entry, ok, err := h.l1.Get(ctx, key); ok || err != nil {
		return entry.Value, err
	}
	h.misses1.Add(1)
	begin := time.Now()
	ctx, span := h.tracer.Start(ctx, h.get.name, h.get.start...)
	defer span.End()
	if err := h.traceTier(ctx, &h.getL2, func(ctx context.Context) (err error) {
		value, err = h.client.Get(ctx, key).Bytes()
		return err
	}); err != nil {
		return nil, err
	}
	h.hits2.Add(1)
	h.operation.Record(ctx, time.Since(begin).Seconds(), h.get.record...)
	span.SetAttributes(h.get.end...)
	return value, nil
}

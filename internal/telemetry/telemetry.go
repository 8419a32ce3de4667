package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	lognoop "go.opentelemetry.io/otel/log/noop"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/telemetry/settings"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Target is the cache that is observed, and its parts.
type Target struct {
	Cache       string
	WritePolicy string
	ReadPolicy  string
	Tiers       tier.Pair[backends.Description]
	Coherent    bool // other processes share L2, and the cache follows them
	Repairs     bool // keys whose tiers differ are repaired
}

// Telemetry observes one cache. It is safe for concurrent use.
type Telemetry struct {
	target Target
	tracer trace.Tracer // nil: spans are off
	meters *instruments // nil: metrics are off
	logger log.Logger   // nil: log records are off
	slog   *slog.Logger // nil: none
	events bool         // the inconsistency event is put on spans
	key    func(key string) string
	limit  logLimit
	told   atomic.Bool // of a value that cannot be stored
	active bool        // an operation has something to prepare

	coherence *Coherence // nil: the cache has none
	repairs   *Repairs   // likewise

	templates
}

type attributes = []attribute.KeyValue

// New returns the telemetry of target. An error is one of the meter provider's, or of a setting.
func New(target Target, opts []tracing.Option) (*Telemetry, error) {
	s := settingsOf(opts)
	if err := check(&s); err != nil {
		return nil, err
	}
	t := &Telemetry{
		target: target, slog: s.Slog, events: s.Signals&settings.SpanEvents != 0, key: s.Key,
		templates: newTemplates(target, s.TierSpans),
	}
	t.tracer = tracerOf(s.TracerProvider)
	var err error
	if t.meters, err = instrumentsOf(s.MeterProvider, target.Cache); err != nil {
		return nil, err
	}
	t.logger = loggerOf(&s)
	if err := t.newParts(&s); err != nil {
		return nil, err
	}
	t.limit.perSecond, t.limit.summarize = max(0, s.LogLimit), t.summarize
	t.active = t.tracer != nil || t.meters != nil || t.key != nil
	return t, nil
}

// newParts makes the telemetry of what only some caches have.
func (t *Telemetry) newParts(s *settings.Settings) error {
	if t.target.Coherent {
		if err := t.newCoherence(s.MeterProvider, s.ProcessSpans == settings.ProcessChildren); err != nil {
			return err
		}
	}
	if t.target.Repairs {
		return t.newRepairs(s.MeterProvider)
	}
	return nil
}

// check returns the error of a choice that does not exist.
func check(s *settings.Settings) error {
	switch {
	case s.Signals&^(settings.SpanEvents|settings.LogRecords) != 0:
		return fmt.Errorf("%w: tracing.WithSignals(%d): combine SpanEvents and LogRecords; 0 is neither", tier.ErrInvalid, s.Signals)
	case s.TierSpans > settings.TierSpansFailures:
		return fmt.Errorf("%w: tracing.WithTierSpans(%d): use TierSpansAll, TierSpansL2 or TierSpansFailures", tier.ErrInvalid, s.TierSpans)
	case s.ProcessSpans > settings.ProcessChildren:
		return fmt.Errorf("%w: tracing.WithProcessSpans(%d): use ProcessLinks or ProcessChildren", tier.ErrInvalid, s.ProcessSpans)
	default:
		return nil
	}
}

func settingsOf(opts []tracing.Option) settings.Settings {
	s := settings.Settings{Signals: settings.SpanEvents | settings.LogRecords}
	for _, o := range opts {
		if o != nil {
			s = o.Apply(s)
		}
	}
	if s.TracerProvider == nil {
		s.TracerProvider = otel.GetTracerProvider()
	}
	if s.MeterProvider == nil {
		s.MeterProvider = otel.GetMeterProvider()
	}
	if s.LoggerProvider == nil {
		s.LoggerProvider = otel.GetLoggerProvider()
	}
	return s
}

// tracerOf returns the tracer of a provider, nil if that makes no spans.
func tracerOf(p trace.TracerProvider) trace.Tracer {
	if _, off := p.(tracenoop.TracerProvider); off {
		return nil
	}
	return p.Tracer(tracing.ScopeName, trace.WithInstrumentationVersion(tracing.Version), trace.WithSchemaURL(tracing.SchemaURL))
}

// instrumentsOf returns the instruments of a provider, nil if that measures nothing.
func instrumentsOf(p metric.MeterProvider, cache string) (*instruments, error) {
	if _, off := p.(metricnoop.MeterProvider); off {
		return nil, nil
	}
	return newInstruments(p, cache)
}

// loggerOf returns the logger of a provider, nil if that makes no records, or is to make
// none.
func loggerOf(s *settings.Settings) log.Logger {
	if _, off := s.LoggerProvider.(lognoop.LoggerProvider); off || s.Signals&settings.LogRecords == 0 {
		return nil
	}
	return s.LoggerProvider.Logger(tracing.ScopeName, log.WithInstrumentationVersion(tracing.Version), log.WithSchemaURL(tracing.SchemaURL))
}

// Enabled reports whether operations have anything to prepare: spans, durations, or a
// key to show. Log records are made only for events, which need no preparation.
func (t *Telemetry) Enabled() bool { return t.active }

// Count counts the result of asking a tier.
func (t *Telemetry) Count(id tier.ID, found tier.Lookup) {
	if t.meters != nil {
		t.meters.counts.add(lookupEvent(id, found))
	}
}

// CountHit counts a read that L1 answered before it was set up, and the lookup.
func (t *Telemetry) CountHit() {
	if t.meters != nil {
		t.meters.counts.add(fastHit)
	}
}

// CountKept is CountHit for a loaded value that L2 did not take.
func (t *Telemetry) CountKept() {
	if t.meters != nil {
		t.meters.counts.add(lookupEvent(tier.L1, tier.LookupHit))
		t.meters.counts.add(readKept)
	}
}

// Close writes the last summary of the logs, adds the last counts to the metrics, and
// releases the providers.
func (t *Telemetry) Close(ctx context.Context) error {
	t.limit.flush()
	if t.meters == nil {
		return nil
	}
	t.repairs.close(ctx)
	return errors.Join(t.coherence.close(ctx), t.meters.close(ctx))
}

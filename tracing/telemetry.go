package tracing

import (
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	lognoop "go.opentelemetry.io/otel/log/noop"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/writepolicy"
)

// Target says what is observed: a cache and its parts.
type Target struct {
	Cache  string
	Policy string // by which it is written
	Reads  string // the policy by which it is read
	L1, L2 backends.Description
}

// TierID names a tier.
type TierID = writepolicy.TierID

// Call is what is asked of a tier.
type Call uint8

// The calls.
const (
	CallSet Call = iota
	CallDelete
	CallInvalidate
	CallGet
	CallRefill
	calls int = iota
)

// String returns "set", "delete", "invalidate", "get" or "refill".
func (c Call) String() string {
	return [...]string{"set", "delete", "invalidate", "get", "refill"}[c]
}

// Telemetry observes one cache. What each span and each measurement needs is
// built once, here, because options that are built inline cost allocations at
// every call. It is safe for concurrent use. Caches make it; their users need
// only the options.
type Telemetry struct {
	target  Target
	tracer  trace.Tracer // nil when tracing is off
	meters  *instruments // nil when metrics are off
	logger  log.Logger   // nil when log records are off
	slog    *slog.Logger // may be nil
	signals Signals
	key     func(key string) string // may be nil

	writes [2]opSite // by kind, from Set on
	reads  readSites
	tiers  [2][calls]callSite  // by tier, from L1 on, and call
	ends   [5][5][2]attributes // of a write: by outcome of L1, of L2, and consistency
}

type attributes = []attribute.KeyValue

// callSite is what all calls of one sort share.
type callSite struct {
	name      string
	start     []trace.SpanStartOption
	ends      [4]attributes // by outcome; of a get, by lookup
	durations [4]durations  // likewise
}

// New returns the telemetry of target. An error is one of the meter provider's.
func New(target Target, opts ...Option) (*Telemetry, error) {
	c := newConfig(opts)
	t := &Telemetry{target: target, slog: c.slog, signals: c.signals, key: c.key}
	if _, off := c.tracerProvider.(tracenoop.TracerProvider); !off {
		t.tracer = c.tracerProvider.Tracer(ScopeName,
			trace.WithInstrumentationVersion(Version), trace.WithSchemaURL(SchemaURL))
	}
	if _, off := c.meterProvider.(metricnoop.MeterProvider); !off {
		var err error
		if t.meters, err = newInstruments(c.meterProvider, target.Cache); err != nil {
			return nil, err
		}
	}
	if _, off := c.loggerProvider.(lognoop.LoggerProvider); !off && c.signals&LogRecords != 0 {
		t.logger = c.loggerProvider.Logger(ScopeName,
			log.WithInstrumentationVersion(Version), log.WithSchemaURL(SchemaURL))
	}
	t.buildWrites()
	t.buildReads()
	t.buildTier(writepolicy.L1, target.L1)
	t.buildTier(writepolicy.L2, target.L2)
	return t, nil
}

// Enabled reports whether spans or metrics are on. Log records are made only for
// events, which need no preparation.
func (t *Telemetry) Enabled() bool { return t.tracer != nil || t.meters != nil }

func (t *Telemetry) buildWrites() {
	for i, kind := range []writepolicy.Kind{writepolicy.Set, writepolicy.Delete} {
		attrs := attributes{
			AttrCache.String(t.target.Cache),
			AttrOperation.String(kind.String()),
			AttrPolicy.String(t.target.Policy),
		}
		t.writes[i] = newOpSite(kind.String()+" "+t.target.Cache, attrs)
	}
	for l1 := range InFlight + 1 {
		for l2 := range InFlight + 1 {
			t.ends[l1][l2] = [2]attributes{endOfWrite(l1, l2, false), endOfWrite(l1, l2, true)}
		}
	}
}

// InFlight stands for the outcome of a tier's write that goes on after the
// policy has answered.
const InFlight = writepolicy.Unknown + 1

func endOfWrite(l1, l2 writepolicy.Outcome, consistent bool) attributes {
	var attrs attributes
	if l1 != InFlight {
		attrs = append(attrs, AttrL1Outcome.String(l1.String()))
	}
	if l2 != InFlight {
		attrs = append(attrs, AttrL2Outcome.String(l2.String()))
	}
	if len(attrs) == 2 { // else it is not known yet
		attrs = append(attrs, AttrConsistent.Bool(consistent))
	}
	return attrs
}

func (t *Telemetry) buildTier(tier writepolicy.TierID, desc backends.Description) {
	kind := trace.SpanKindInternal
	if !desc.InProcess && !desc.Instrumented {
		kind = trace.SpanKindClient
	}
	for call := range Call(calls) {
		measured := attributes{
			AttrCache.String(t.target.Cache),
			AttrOperation.String(call.String()),
			AttrTier.String(tier.String()),
		}
		site := callSite{
			name: call.String() + " " + t.target.Cache + " " + tier.String(),
			start: []trace.SpanStartOption{
				trace.WithAttributes(append(slices.Clip(measured), described(desc)...)...),
				trace.WithSpanKind(kind),
			},
		}
		for i := range site.ends {
			end := AttrOutcome.String(writepolicy.Outcome(i).String())
			if call == CallGet {
				end = AttrLookupResult.String(Lookup(i).String())
			}
			site.ends[i] = attributes{end}
			site.durations[i] = newDurations(append(slices.Clip(measured), end))
		}
		t.tiers[tier-writepolicy.L1][call] = site
	}
}

// described is where a store is, unless its client's own span says so: an internal
// span with db.system.name would be a second call, of a database in the process.
func described(desc backends.Description) (attrs attributes) {
	if desc.Instrumented {
		return nil
	}
	if desc.System != "" {
		attrs = append(attrs, semconv.DBSystemNameKey.String(desc.System))
	}
	if desc.ServerAddress != "" {
		attrs = append(attrs, semconv.ServerAddress(desc.ServerAddress))
		if desc.ServerPort != 0 {
			attrs = append(attrs, semconv.ServerPort(desc.ServerPort))
		}
	}
	return attrs
}

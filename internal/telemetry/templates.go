package telemetry

import (
	"slices"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/telemetry/settings"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// templates are the names, options and attributes that all operations of one kind
// share.
type templates struct {
	operations    [tier.Kinds]opTemplate              // set, delete, get, load
	calls         tier.Pair[[tier.Kinds]callTemplate] // set, delete, invalidate, get, refill
	writeEnds     [outcomes][outcomes][2]attributes   // by outcome of L1, of L2, and consistency
	readEnds      [lookups]attributes                 // by event, from readHitL1 on
	readDurations [lookups]durations                  // by result, too
	conditionals  conditionals
	batches       batches
}

// InFlight stands for the outcome of a tier's write that goes on after the policy
// has returned.
const InFlight = tier.Outcome(tier.Outcomes)

const outcomes = tier.Outcomes + 1

// opTemplate is for operations.
type opTemplate struct {
	name      string
	start     []trace.SpanStartOption
	durations durations
}

// callTemplate is for calls of a tier.
type callTemplate struct {
	tier      tier.ID
	name      string
	span      bool // also where the call succeeds
	database  bool // the span describes a call of a database
	start     []trace.SpanStartOption
	ends      [tier.Outcomes]attributes // by outcome; of a get, by lookup
	durations [tier.Outcomes]durations  // by outcome, too
}

func newTemplates(target Target, spans settings.TierSpans) (t templates) {
	cache := tracing.AttrCache.String(target.Cache)
	for _, kind := range []tier.Kind{tier.Set, tier.Delete, tier.Get, tier.Load, tier.Update} {
		t.operations[kind] = newOpTemplate(target, kind, kind.String())
	}
	t.conditionals = newConditionals(target)
	t.batches = newBatches(target, spans)
	for _, id := range []tier.ID{tier.L1, tier.L2} {
		for _, kind := range []tier.Kind{tier.Set, tier.Delete, tier.Invalidate, tier.Get, tier.Refill} {
			t.calls.At(id)[kind] = newCallTemplate(target, id, kind, kind.String(), spans)
		}
	}
	for l1 := range InFlight + 1 {
		for l2 := range InFlight + 1 {
			t.writeEnds[l1][l2] = [2]attributes{endOfWrite(l1, l2, false), endOfWrite(l1, l2, true)}
		}
	}
	for e := readHitL1; e <= readError; e++ {
		t.readEnds[e] = attributes{tracing.AttrReadResult.String(e.readResult())}
		t.readDurations[e] = newDurations(append(attributes{
			cache, tracing.AttrOperation.String(tier.Get.String()), tracing.AttrPolicy.String(target.ReadPolicy),
		}, t.readEnds[e]...))
	}
	return t
}

func newOpTemplate(target Target, kind tier.Kind, name string) opTemplate {
	attrs := attributes{tracing.AttrCache.String(target.Cache), tracing.AttrOperation.String(name)}
	switch kind {
	case tier.Load, tier.Update: // by no policy
	case tier.Get:
		attrs = append(attrs, tracing.AttrPolicy.String(target.ReadPolicy))
	default:
		attrs = append(attrs, tracing.AttrPolicy.String(target.WritePolicy))
	}
	return opTemplate{
		name + " " + target.Cache, []trace.SpanStartOption{trace.WithAttributes(attrs...)}, newDurations(attrs),
	}
}

func newCallTemplate(target Target, id tier.ID, kind tier.Kind, name string, spans settings.TierSpans) callTemplate {
	desc := *target.Tiers.At(id)
	measured := attributes{
		tracing.AttrCache.String(target.Cache),
		tracing.AttrOperation.String(name),
		tracing.AttrTier.String(id.String()),
	}
	c := callTemplate{
		tier:     id,
		name:     name + " " + target.Cache + " " + id.String(),
		database: desc.System != "" && !desc.Instrumented,
		span:     spans == settings.TierSpansAll || spans == settings.TierSpansL2 && id == tier.L2 && !desc.Instrumented,
		start: []trace.SpanStartOption{
			trace.WithAttributes(append(slices.Clip(measured), describe(desc, kind)...)...),
			trace.WithSpanKind(spanKind(desc)),
		},
	}
	for i := range c.ends {
		end := tracing.AttrOutcome.String(tier.Outcome(i).String())
		if kind == tier.Get {
			end = tracing.AttrLookupResult.String(tier.Lookup(i).String())
		}
		c.ends[i] = attributes{end}
		c.durations[i] = newDurations(append(slices.Clip(measured), end))
	}
	return c
}

func spanKind(desc backends.Description) trace.SpanKind {
	if desc.InProcess || desc.Instrumented || desc.Local {
		return trace.SpanKindInternal
	}
	return trace.SpanKindClient
}

// describe returns the store's system and address, unless the span of its client
// has them: an internal span with db.system.name would describe a second call, of a
// database in the process.
func describe(desc backends.Description, kind tier.Kind) (attrs attributes) {
	if desc.Instrumented {
		return nil
	}
	if desc.System != "" {
		attrs = append(attrs, semconv.DBSystemNameKey.String(desc.System))
	}
	if name := operationName(desc, kind); name != "" {
		attrs = append(attrs, semconv.DBOperationName(name))
	}
	if desc.ServerAddress != "" {
		attrs = append(attrs, semconv.ServerAddress(desc.ServerAddress))
		if desc.ServerPort != 0 {
			attrs = append(attrs, semconv.ServerPort(desc.ServerPort))
		}
	}
	return attrs
}

// operationName returns the name of the command that the store is sent.
func operationName(desc backends.Description, kind tier.Kind) string {
	switch kind {
	case tier.Get:
		return desc.GetOperation
	case tier.Set, tier.Refill:
		return desc.SetOperation
	default:
		return desc.DeleteOperation
	}
}

// endOfWrite leaves out outcomes that are not known yet.
func endOfWrite(l1, l2 tier.Outcome, consistent bool) (attrs attributes) {
	if l1 != InFlight {
		attrs = append(attrs, tracing.AttrL1Outcome.String(l1.String()))
	}
	if l2 != InFlight {
		attrs = append(attrs, tracing.AttrL2Outcome.String(l2.String()))
	}
	if len(attrs) == 2 {
		attrs = append(attrs, tracing.AttrConsistent.Bool(consistent))
	}
	return attrs
}

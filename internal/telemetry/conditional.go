package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// ConditionalPolicy is the name of the policy of writes that L2 decides.
const ConditionalPolicy = "conditional"

// Condition is the condition of a write, as telemetry shows it.
type Condition uint8

// The conditions.
const (
	Unconditional      Condition = iota
	ConditionAbsent              // the key has no entry
	ConditionVersion             // the entry has the version that was read
	ConditionSource              // no newer version of the source is there
	ConditionUnchanged           // nobody has changed the key since a load asked L2

	conditions = iota
)

// ConditionOf returns the name of a condition.
func ConditionOf(c backends.Condition) Condition {
	switch c.Test {
	case backends.TestAbsent:
		return ConditionAbsent
	case backends.TestIs, backends.TestNotNewer:
		return ConditionVersion
	default:
		return Unconditional
	}
}

func (c Condition) String() string {
	return [conditions]string{"none", "absent", "version", "source", "unchanged"}[c]
}

// conditionals are the templates of conditional writes, by kind and condition.
type conditionals [tier.Delete + 1][conditions]opTemplate

func newConditionals(target Target) (t conditionals) {
	for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
		attrs := attributes{
			tracing.AttrCache.String(target.Cache),
			tracing.AttrOperation.String(kind.String()),
			tracing.AttrPolicy.String(ConditionalPolicy),
		}
		durations := newDurations(attrs)
		for c := range Condition(conditions) {
			start := attrs
			if c != Unconditional {
				start = slices.Concat(attrs, attributes{tracing.AttrCondition.String(c.String())})
			}
			t[kind][c] = opTemplate{
				kind.String() + " " + target.Cache, []trace.SpanStartOption{trace.WithAttributes(start...)}, durations,
			}
		}
	}
	return t
}

// StartConditional is StartWrite for a write that L2 decides.
func (t *Telemetry) StartConditional(ctx context.Context, w *Write, kind tier.Kind, c Condition, key string) context.Context {
	w.tel = t
	if !t.active {
		return ctx
	}
	return w.observe(ctx, &t.conditionals[kind][c], key)
}

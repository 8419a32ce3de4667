package tracing

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// The instrumentation scope of all telemetry.
const (
	ScopeName = "github.com/tiercache/tiercache"
	Version   = "0.1.0"
	SchemaURL = semconv.SchemaURL
)

// EventInconsistency is the name of the span event and of the log record that
// say that the tiers may differ.
const EventInconsistency = "tiercache.inconsistency"

// Attributes of spans. Those marked (metric) are on metrics too, those marked
// (event) on the inconsistency event.
const (
	AttrCache      = attribute.Key("tiercache.cache.name")         // string (metric, event)
	AttrOperation  = attribute.Key("tiercache.operation.name")     // set, delete, invalidate, get, refill, load (metric, event)
	AttrPolicy     = attribute.Key("tiercache.policy.name")        // string (metric, event)
	AttrTier       = attribute.Key("tiercache.tier.name")          // l1, l2 (metric)
	AttrOutcome    = attribute.Key("tiercache.outcome")            // applied, failed, unknown (metric)
	AttrL1Outcome  = attribute.Key("tiercache.l1.outcome")         // and skipped; absent while in flight (event)
	AttrL2Outcome  = attribute.Key("tiercache.l2.outcome")         // likewise (event)
	AttrConsistent = attribute.Key("tiercache.consistent")         // bool: the tiers cannot differ now
	AttrLockWait   = attribute.Key("tiercache.lock.wait_duration") // s: waited for other writers of the key; absent if not
	AttrKey        = attribute.Key("tiercache.key")                // string, by WithKey only (event)
)

// Attributes of the spans of reads.
const (
	AttrLookupResult = attribute.Key("tiercache.lookup.result") // hit, miss, error, load, negative, stale (metric)
	AttrRefill       = attribute.Key("tiercache.refill")        // applied, fenced, failed, disabled
	AttrLoadShared   = attribute.Key("tiercache.load.shared")   // bool: waited for the load of another caller
	AttrStaleAge     = attribute.Key("tiercache.stale.age")     // s: how long ago a stale value expired
)

// Attributes of the inconsistency event alone.
const (
	AttrStaleTier    = attribute.Key("tiercache.stale_tier")   // l1, l2, unknown (metric)
	AttrCompensation = attribute.Key("tiercache.compensation") // none, applied, failed
	AttrResolved     = attribute.Key("tiercache.resolved")     // bool (metric)
)

// Metrics.
const (
	MetricOperationDuration     = "tiercache.operation.duration"
	MetricTierOperationDuration = "tiercache.tier.operation.duration"
	MetricInconsistencies       = "tiercache.inconsistencies"
	MetricDetachedWrites        = "tiercache.detached_writes"
	MetricLookups               = "tiercache.lookups"
)

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

// EventInconsistency is the name of the span event and of the log record which
// report that the tiers may differ.
const EventInconsistency = "tiercache.inconsistency"

// EventInconsistencySummary is the name of the log record that stands for the
// inconsistencies which [WithLogLimit] kept out of the logs.
const EventInconsistencySummary = "tiercache.inconsistency.summary"

// EventUnstorableValue is the name of the log record about the first loaded value of a
// cache that a tier can never store.
const EventUnstorableValue = "tiercache.unstorable_value"

// Names of the log records about coherence: hits in L1 are not trusted any more, or are
// again.
const (
	EventCoherenceLost     = "tiercache.coherence.lost"
	EventCoherenceRestored = "tiercache.coherence.restored"
)

// EventResolution is the name of the log record which reports that the tiers of a key
// agree again, or that the cache knows as much as it ever will.
const EventResolution = "tiercache.resolution"

// Attributes of spans. Those marked (metric) are on metrics too, those marked
// (event) on the inconsistency event.
const (
	AttrCache      = attribute.Key("tiercache.cache.name")         // string (metric, event)
	AttrOperation  = attribute.Key("tiercache.operation.name")     // set, delete, invalidate, get, refill, load, update, process, repair (metric, event)
	AttrPolicy     = attribute.Key("tiercache.policy.name")        // string (metric, event)
	AttrTier       = attribute.Key("tiercache.tier.name")          // l1, l2 (metric)
	AttrOutcome    = attribute.Key("tiercache.outcome")            // applied, failed, unknown, superseded (metric)
	AttrL1Outcome  = attribute.Key("tiercache.l1.outcome")         // and skipped; absent while in flight (event)
	AttrL2Outcome  = attribute.Key("tiercache.l2.outcome")         // as for L1 (event)
	AttrConsistent = attribute.Key("tiercache.consistent")         // bool: the tiers cannot differ now
	AttrCondition  = attribute.Key("tiercache.write.condition")    // of a write that L2 decides: absent, version, source, unchanged
	AttrAttempts   = attribute.Key("tiercache.update.attempts")    // int: how often an update was tried
	AttrLockWait   = attribute.Key("tiercache.lock.wait_duration") // s: waited for other writers of the key; absent if not
	AttrL1Duration = attribute.Key("tiercache.l1.duration")        // s: of calls of L1 without spans of their own
	AttrL2Duration = attribute.Key("tiercache.l2.duration")        // as for L1
	AttrKey        = attribute.Key("tiercache.key")                // string, by WithKey only (event)
)

// Attributes of operations on many keys.
const (
	AttrBatchSize            = attribute.Key("tiercache.batch.size")            // int: keys, of the operation or of one call of a tier
	AttrBatchFailures        = attribute.Key("tiercache.batch.failures")        // int: keys with an error; absent if none
	AttrBatchInconsistencies = attribute.Key("tiercache.batch.inconsistencies") // int: keys with an event on the span, which has 16 of them; absent if none
)

// Attributes of the spans of reads.
const (
	AttrReadResult   = attribute.Key("tiercache.read.result")    // hit, miss, load, negative, stale, kept, fenced, shared, error (metric)
	AttrLookupResult = attribute.Key("tiercache.lookup.result")  // of asking one tier: hit, miss, error (metric)
	AttrRefill       = attribute.Key("tiercache.refill.outcome") // applied, fenced, failed, disabled, unstorable, superseded
	AttrStaleAge     = attribute.Key("tiercache.stale.age")      // s: time since the returned value expired
	AttrStaleReason  = attribute.Key("tiercache.stale.reason")   // of a stale value: expired, coherence
)

// Attributes of the inconsistency event.
const (
	AttrStaleTier    = attribute.Key("tiercache.inconsistency.stale_tier")   // l1, l2, unknown (metric)
	AttrCompensation = attribute.Key("tiercache.inconsistency.compensation") // none, applied, failed
	AttrResolved     = attribute.Key("tiercache.inconsistency.resolved")     // bool (metric)
	AttrSuppressed   = attribute.Key("tiercache.inconsistency.suppressed")   // int: not logged one by one; on the summary
)

// Attributes of coherence across processes.
const (
	AttrCoherenceState    = attribute.Key("tiercache.coherence.state")      // trusted, lost (metric)
	AttrCoherenceCause    = attribute.Key("tiercache.coherence.cause")      // of a loss (metric)
	AttrCoherenceDuration = attribute.Key("tiercache.coherence.duration")   // s: without trust; when it is back
	AttrInvalidation      = attribute.Key("tiercache.invalidation.outcome") // dropped, absent, newer, own (metric)
	AttrDropped           = attribute.Key("tiercache.invalidation.dropped") // int: copies that L1 dropped in a batch
)

// Attributes of repairs.
const (
	AttrLedgerCause   = attribute.Key("tiercache.ledger.cause")          // unknown, missing, kept, no_tier, stale (metric)
	AttrResolution    = attribute.Key("tiercache.repair.resolution")     // applied, superseded, rolled_back, expired, dropped (metric)
	AttrRepairAge     = attribute.Key("tiercache.repair.age")            // s: since the tiers differed
	AttrScrubResult   = attribute.Key("tiercache.scrub.result")          // match, lagging, stale, regressed, absent (metric)
	AttrRepairTraceID = attribute.Key("tiercache.repair.write.trace_id") // of the write that was repaired, if it was sampled
)

// Metrics.
const (
	MetricOperationDuration     = "tiercache.operation.duration"      // histogram, s
	MetricTierOperationDuration = "tiercache.tier.operation.duration" // histogram, s
	MetricLockWaitDuration      = "tiercache.lock.wait_duration"      // histogram, s
	MetricStaleAge              = "tiercache.stale.age"               // histogram, s
	MetricInconsistencies       = "tiercache.inconsistencies"         // counter, {inconsistency}
	MetricReads                 = "tiercache.reads"                   // counter, {read}
	MetricLookups               = "tiercache.lookups"                 // counter, {lookup}
	MetricUnstorableValues      = "tiercache.unstorable_values"       // counter, {value}
	MetricWriteDetached         = "tiercache.write.detached"          // up-down counter, {write}
	MetricLoadActive            = "tiercache.load.active"             // up-down counter, {load}
	MetricInvalidations         = "tiercache.invalidations"           // counter, {invalidation}
	MetricInvalidationLag       = "tiercache.invalidation.lag"        // histogram, s
	MetricCoherenceStatus       = "tiercache.coherence.status"        // up-down counter, {cache}
	MetricCoherenceSyncedAge    = "tiercache.coherence.synced_age"    // gauge, s
	MetricCoherenceGaps         = "tiercache.coherence.gaps"          // counter, {gap}
	MetricClockOffset           = "tiercache.clock.offset"            // gauge, s
	MetricClockUncertainty      = "tiercache.clock.uncertainty"       // gauge, s
	MetricLedgerEntries         = "tiercache.ledger.entry.count"      // up-down counter, {entry}
	MetricLedgerOldestAge       = "tiercache.ledger.oldest_age"       // gauge, s
	MetricLedgerAdditions       = "tiercache.ledger.additions"        // counter, {entry}
	MetricRepairs               = "tiercache.repairs"                 // counter, {repair}
	MetricScrubChecks           = "tiercache.scrub.checks"            // counter, {check}
)

// Package tracing is the telemetry of a cache: the names and the options of its spans,
// its metrics and the inconsistency event. docs/telemetry.md explains all of them.
//
// Give options of this package to tiercache.WithTelemetry. Without any, a cache uses
// OpenTelemetry's global providers, even if they are set later. With [Disabled] or the no-op
// providers telemetry costs nothing.
//
// # Spans
//
//	set {cache}                 internal
//	delete {cache}              internal
//	get {cache}                 internal; not for a hit in L1
//	load {cache}                internal
//	update {cache}              internal
//	set_many {cache}            internal
//	delete_many {cache}         internal
//	get_many {cache}            internal
//	load_many {cache}           internal
//	set {cache} {tier}          client, internal
//	delete {cache} {tier}       client, internal
//	invalidate {cache} {tier}   client, internal
//	get {cache} {tier}          client, internal
//	refill {cache} l1           client, internal
//	process {cache}             consumer
//	repair {cache}              internal
//	set_many {cache} {tier}         client, internal
//	delete_many {cache} {tier}      client, internal
//	invalidate_many {cache} {tier}  client, internal
//	get_many {cache} l2             client, internal
//	refill_many {cache} l1          client, internal
//
// The span of a tier is internal if the store is in the process or its client is
// instrumented. [WithTierSpans] chooses which calls have one.
//
// # Attributes
//
//	tiercache.cache.name            tiercache.read.result
//	tiercache.operation.name        tiercache.lookup.result
//	tiercache.policy.name           tiercache.refill.outcome
//	tiercache.tier.name             tiercache.stale.age
//	tiercache.outcome               tiercache.lock.wait_duration
//	tiercache.l1.outcome            tiercache.l1.duration
//	tiercache.l2.outcome            tiercache.l2.duration
//	tiercache.consistent            tiercache.write.condition
//	tiercache.key                   tiercache.update.attempts
//	tiercache.batch.size            tiercache.batch.failures
//	tiercache.batch.inconsistencies
//	tiercache.inconsistency.stale_tier
//	tiercache.inconsistency.compensation
//	tiercache.inconsistency.resolved
//	tiercache.inconsistency.suppressed
//	tiercache.stale.reason          tiercache.coherence.state
//	tiercache.invalidation.outcome  tiercache.coherence.cause
//	tiercache.invalidation.dropped  tiercache.coherence.duration
//	tiercache.repair.resolution     tiercache.ledger.cause
//	tiercache.repair.age            tiercache.repair.write.trace_id
//	tiercache.scrub.result
//
// # Inconsistency
//
// The event tiercache.inconsistency is emitted once for every write after which the
// tiers may differ: on a span, as a log record, and to the slog logger. See
// [WithSignals] and [WithSlog].
//
// The event tiercache.inconsistency.summary is a log record, or a line of slog. It
// stands for the inconsistencies of one second that [WithLogLimit] kept out of the logs.
//
// The event tiercache.unstorable_value is a log record, or a line of slog, about the first
// loaded value of a cache that a tier can never store.
//
// # Coherence
//
// With tiercache.WithCoherence, a span process {cache} shows that L1 dropped copies that other
// processes have replaced; it links to the spans of the writes, or is the child of one by
// [WithProcessSpans].
//
// The event tiercache.coherence.lost is a log record, or a line of slog, about the loss of trust in
// L1: hits are no longer returned as fresh. The event tiercache.coherence.restored is its
// counterpart.
//
// # Repairs
//
// With tiercache.WithCoherence or tiercache.WithDropDiverged, a span repair {cache} is an attempt
// to make the tiers of a key agree again, with a span below it for each call of a tier; it links
// to the span of the write that diverged.
//
// The event tiercache.resolution is a log record, or a line of slog, about the end of a difference.
//
// # Metrics
//
//	tiercache.operation.duration        histogram, s
//	tiercache.tier.operation.duration   histogram, s
//	tiercache.lock.wait_duration        histogram, s
//	tiercache.stale.age                 histogram, s
//	tiercache.inconsistencies           counter, {inconsistency}
//	tiercache.reads                     counter, {read}
//	tiercache.lookups                   counter, {lookup}
//	tiercache.unstorable_values         counter, {value}
//	tiercache.write.detached            up-down counter, {write}
//	tiercache.load.active               up-down counter, {load}
//	tiercache.invalidations             counter, {invalidation}
//	tiercache.invalidation.lag          histogram, s
//	tiercache.coherence.status          up-down counter, {cache}
//	tiercache.coherence.synced_age      gauge, s
//	tiercache.coherence.gaps            counter, {gap}
//	tiercache.clock.offset              gauge, s
//	tiercache.clock.uncertainty         gauge, s
//	tiercache.ledger.entry.count        up-down counter, {entry}
//	tiercache.ledger.oldest_age         gauge, s
//	tiercache.ledger.additions          counter, {entry}
//	tiercache.repairs                   counter, {repair}
//	tiercache.scrub.checks              counter, {check}
//
// Names and values count as API. Keys appear only if [WithKey] is given, and never in metrics.
//
// # Providers
//
// Samplers, processors of spans and logs, handlers of slog, filters of metrics and the
// formatter of keys run in the operation. If one panics, that piece of telemetry is
// lost, and the panic goes to OpenTelemetry's error handler. If one ends its goroutine,
// the operation ends and releases its lock. They must return, and must not write the
// operation's key, which is locked while some of them run.
package tracing

// Package tracing is the telemetry of a cache: its spans, its metrics, and the
// inconsistency event.
//
// Options of this package are given to a cache by tiercache.WithTelemetry:
//
//	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(
//		tracing.WithTracerProvider(tp),
//		tracing.WithSlog(slog.Default()),
//	))
//
// Without options the global providers of OpenTelemetry are used, also those
// that are set later. With [Disabled], or with the no-op providers, telemetry is
// off and costs nothing.
//
// # Spans
//
//	set {cache}, delete {cache}         internal   every write
//	set {cache} {tier}                  internal,  every write of a tier that is
//	delete {cache} {tier}               or client  attempted; tier is l1 or l2
//	invalidate {cache} {tier}                      a tier's copy is dropped
//	get {cache}                         internal   reads that go beyond L1
//	get {cache} {tier}                  as above   a tier is asked
//	refill {cache} l1                   as above   L1 gets what L2 had
//	load {cache}                        internal   a loader is called
//
// A hit in L1 is counted, and has a span only on request; so has a miss in L1
// that comes before a read is set up. The span of a caller that waits for the load
// of another is linked to that other's span, and stays in its own trace.
//
// The span of a tier is a client span when the backend is remote and its client
// emits no spans of its own. Children of a span that does not record are not
// started. What failed has the status Error, with the text of the error, and
// error.type; other spans have no status. A failure that the policy tolerates is
// on the tier's span only.
//
// # Inconsistency
//
// The event [EventInconsistency] is emitted once for every operation after which
// the tiers may differ, whatever the operation returned: on its span (on the
// span of the tier when that ended later), as a log record and to the slog
// logger if there is one, with the same attributes. Its severity is ERROR, or
// WARN when a compensation resolved the difference.
//
// # Metrics
//
//	tiercache.operation.duration        histogram, s
//	tiercache.tier.operation.duration   histogram, s
//	tiercache.inconsistencies           counter, {inconsistency}
//	tiercache.detached_writes           up-down counter, {write}
//	tiercache.lookups                   counter, {lookup}
//
// All names are constants of this package and count as API. The key of an
// operation is in none of it unless [WithKey] is given, and then only on spans
// and events. Texts of errors that come from a backend are put on spans; if they
// quote the key, it is taken out.
//
// # Providers
//
// Samplers, processors of spans and logs, handlers of slog, filters of metrics and the
// formatter of keys run in the operation. One that panics costs that piece of telemetry
// and goes to OpenTelemetry's error handler; one that ends its goroutine ends the
// operation, which lets go of all that it holds. They must end by themselves, and must
// not write the operation's key: it is locked while some of them run.
package tracing

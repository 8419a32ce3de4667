package failsafebackend

import "go.opentelemetry.io/otel/attribute"

// The instrumentation scope of the metrics.
const scopeName = "github.com/tiercache/tiercache/backends/failsafebackend"

// AttrAttempts is the number of calls of the backend that one operation took. It
// is set on the span in the operation's context when it is more than one.
const AttrAttempts = attribute.Key("tiercache.attempts") // int

// MetricCircuitBreakerState is an observable gauge: 0 is closed, 1 half-open,
// 2 open. A breaker that was open long enough becomes half-open with the next
// call, and not before. Its attributes are AttrCircuitBreaker and those of the
// backend's description, db.system.name, server.address and server.port, where
// it has them.
const MetricCircuitBreakerState = "tiercache.circuit_breaker.state"

// AttrCircuitBreaker is the name of the breaker; see [WithName].
const AttrCircuitBreaker = attribute.Key("tiercache.circuit_breaker.name") // string (metric)

package failsafebackend

import "go.opentelemetry.io/otel/attribute"

// The instrumentation scope of the metrics.
const scopeName = "github.com/tiercache/tiercache/backends/failsafebackend"

// AttrAttempts is the number of calls of the backend that one operation took. It
// is set on the span in the operation's context when it is more than one.
const AttrAttempts = attribute.Key("tiercache.attempts") // int

// MetricCircuitBreakerCount is an observable up-down counter in {circuit_breaker}:
// 1 for the state that the breaker is in, and 0 for each other state, from the
// first collection on. Breakers with equal attributes add up. A breaker that was
// open long enough becomes half-open with the next call, and not before.
//
// Its attributes are AttrCircuitBreakerState, AttrCircuitBreaker, and those of the
// backend's description, db.system.name, server.address and server.port, where
// it has them.
const MetricCircuitBreakerCount = "tiercache.circuit_breaker.count"

// AttrCircuitBreakerState is one of "closed", "half_open" and "open".
const AttrCircuitBreakerState = attribute.Key("tiercache.circuit_breaker.state") // string (metric)

// AttrCircuitBreaker is the name of the breaker; see [WithName].
const AttrCircuitBreaker = attribute.Key("tiercache.circuit_breaker.name") // string (metric)

// Package failsafebackend decorates a backend with retries, a circuit breaker, a bulkhead and
// timeouts, which are policies of failsafe-go.
//
//	store, err := redisbackend.New(client,
//		redisbackend.WithKeyPrefix("users:"), redisbackend.WithWriteRetries(0))
//	if err != nil {
//		return err
//	}
//	l2, err := failsafebackend.New[[]byte](store,
//		failsafebackend.WithRetry(2, 10*time.Millisecond, time.Second),
//		failsafebackend.WithCircuitBreaker(5, 10*time.Second),
//		failsafebackend.WithBulkhead(100, 50*time.Millisecond),
//		failsafebackend.WithTimeout(200*time.Millisecond),
//	)
//	if err != nil {
//		return err
//	}
//	defer l2.Close()
//
// Each can be replaced by a policy of failsafe-go that you have built, and [WithPolicies] adds
// others, for instance a rate limiter. They are composed in one order, whatever the order of the
// options:
//
//	retry(policies(bulkhead(breaker(timeout(call of the backend)))))
//
// So a retry passes the bulkhead and the breaker again, waits outside of the bulkhead, and has a
// timeout of its own; and a full bulkhead is not a failure to the breaker. Without options, calls
// pass through.
//
// # Failures
//
// To the circuit breaker the result of an attempt is one of three:
//
//   - A success: a hit, a miss, or an error of a healthy store, which concerns one entry or one
//     call and is not an outage (see [backends.FromHealthyStore]): bytes that cannot be decoded, a
//     value of another type, a write that a full or read-only store refuses. A read that fails with
//     such an error is not retried either.
//   - Neither: an attempt that the caller cancelled, and a write that was refused
//     before the store was asked, because it is too large, say.
//   - A failure: everything else. A deadline is one, whoever set it: the caller,
//     [WithTimeout], or a caller that cancels with a cause that is
//     context.DeadlineExceeded. A store that hangs opens the breaker.
//
// # Outcomes of writes
//
// The outcome is that of all attempts together. If one succeeded, the write was applied, whatever a
// policy says. If all failed, it was certainly not applied only if each of them was certainly not
// applied. If the policies allowed no attempt, the call returns a [*RefusedError], which is
// certainly not applied.
//
// [WithRetry] repeats a write only while every attempt so far was certainly not applied. An attempt
// of unknown outcome ends the retries: the store may apply it late, after the retry or after the
// next write of the key, and nobody would notice. So the backend must mark its errors as
// [backends.NotApplied] does (redisbackend marks its own), or [WithClassifier] must recognise them;
// otherwise no write is retried. None of this concerns reads. Policies that you have built decide
// by themselves.
//
// A [Backend.Write] whose condition is [backends.Is], [backends.NotNewer] or [backends.AbsentAt] of
// an issued version is retried after an unknown outcome too, because at most one of its attempts
// can change the key. To the policies, a write that the store refuses is a success. A batch is one call; a retry makes only the elements
// that are left: see [Backend.GetMany] and [Backend.WriteMany].
//
// Versions, deadlines, batches, the log, stamps and walks are those of the backend, and
// the description says which it has. Watching, the clock and walks pass by the policies.
//
// Calls of the backend never outlive the call of the decorator, which waits for them: a timeout
// only ends the context, so the decorator waits even for a backend that ignores its context.
//
// # Telemetry
//
// The span of the tier, which the cache above starts, covers all attempts. If there was more than
// one, the span in the call's context gets the attribute [AttrAttempts]. The metric
// [MetricCircuitBreakerCount] shows the state of the breaker: alert when it is 1 for the state
// "open".
package failsafebackend

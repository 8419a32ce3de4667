// Package failsafebackend decorates a backend with retries, a circuit breaker, a
// bulkhead and timeouts, by the policies of failsafe-go.
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
// Each can be replaced by a policy of failsafe-go that was built elsewhere, and
// [WithPolicies] adds others, for instance a rate limiter. They are composed in
// one order, whatever the order of the options:
//
//	retry(policies(bulkhead(breaker(timeout(call of the backend)))))
//
// So a retry asks the bulkhead and the breaker again, waits outside of the
// bulkhead, and has a timeout of its own, and a full bulkhead is no failure to
// the breaker. With no options calls pass through.
//
// # Failures
//
// To the circuit breaker the result of an attempt is one of three:
//
//   - A success: a hit, a miss, and an error of a healthy store, which is about
//     one entry or one call and no outage, see [backends.FromHealthyStore]: bytes
//     that cannot be decoded, a value of another type, a write that a full or
//     read-only store refuses. A read that failed so is not repeated either.
//   - Neither: an attempt that the caller cancelled, and a write that was refused
//     before the store was asked, because it is too large, say.
//   - A failure: everything else. A deadline is one, whoever set it: the caller,
//     [WithTimeout], or a caller that cancels with a cause that is
//     context.DeadlineExceeded. A store that hangs opens the breaker.
//
// # Outcomes of writes
//
// The outcome is that of all attempts together. When one succeeded, the write
// was applied, whatever a policy says. When all failed it was certainly not
// applied only if each of them was certainly not applied. A call of which the
// policies allowed no attempt is a [*RefusedError], which is certainly not
// applied.
//
// [WithRetry] repeats a write only while every attempt so far was certainly not
// applied. One of unknown outcome ends the repetitions: it may still be on its
// way, and be applied after the repetition or after the next write of the key,
// unseen. So for writes to be repeated at all, the backend must mark its errors as
// [backends.NotApplied] does (redisbackend marks its own), or [WithClassifier]
// must know them. None of this concerns reads. Policies that were built elsewhere
// decide by themselves.
//
// A [Backend.Write] whose condition is [backends.Is] or [backends.NotNewer] is repeated
// after an unknown outcome too, because at most one of its attempts can change the key.
// One that the store refuses is a success to the policies. A batch is one call to them,
// of which a further attempt makes the elements that are left: see [Backend.GetMany] and
// [Backend.WriteMany].
//
// Versions, deadlines, batches, the log, stamps and walks are those of the backend, and
// the description says which it has. Watching, the clock and walks pass by the policies.
//
// Calls of the backend never outlive the call of the decorator, which waits for
// them: the timeouts end by the context alone, so a backend that ignores its
// context is waited for.
//
// # Telemetry
//
// The span of the tier, which the cache above starts, covers all attempts. When
// there was more than one, the span in the call's context, if it records, is
// given the attribute [AttrAttempts]. The state of the breaker is in the metric
// [MetricCircuitBreakerCount]: alert when it is 1 for the state "open".
package failsafebackend

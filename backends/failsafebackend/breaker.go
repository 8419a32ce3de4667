package failsafebackend

import (
	"context"
	"errors"
	"sync"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/common"
	"github.com/failsafe-go/failsafe-go/policy"
)

// breaker is a circuit breaker that is not told of attempts that say nothing of
// the backend: those that the caller cancelled, and values that could not be
// encoded. To the breaker itself each attempt is either a success or a failure.
//
// Half-open, it gives out a limited number of permits, which come back only with
// a result. A permit whose attempt had none is kept for the next.
type breaker struct {
	circuitbreaker.CircuitBreaker[any]

	mu    sync.Mutex
	spare int // permits of the half-open state
}

// ToExecutor implements [failsafe.Policy].
func (b *breaker) ToExecutor(token any) any {
	return &breakerExecutor{breaker: b, inner: b.CircuitBreaker.ToExecutor(token).(policy.Executor[any])}
}

// take takes a spare permit.
func (b *breaker) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.IsHalfOpen() {
		b.spare = 0
	}
	if b.spare == 0 {
		return false
	}
	b.spare--
	return true
}

// keep keeps a permit that the breaker still waits for.
func (b *breaker) keep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.IsHalfOpen() {
		b.spare++
	}
}

type breakerExecutor struct {
	breaker *breaker
	inner   policy.Executor[any]
}

// Apply implements what failsafe-go asks of the executor of a policy.
func (e *breakerExecutor) Apply(next func(exec failsafe.Execution[any]) *common.PolicyResult[any]) func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
	return func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
		internal := exec.(policy.ExecutionInternal[any])
		probe := e.breaker.take()
		if !probe {
			if refused := e.inner.PreExecute(internal); refused != nil {
				return refused
			}
			probe = e.breaker.IsHalfOpen()
		}
		result := next(exec)
		if !saysNothing(exec.Context(), result.Error) {
			return e.inner.PostExecute(internal, result)
		}
		if probe {
			e.breaker.keep()
		}
		return result.WithFailure()
	}
}

func saysNothing(ctx context.Context, err error) bool {
	return err != nil && (errors.Is(err, errOver) || isEncode(err) || canceledByCaller(ctx))
}

// canceledByCaller asks the call: policies put contexts between the caller's and
// that of the attempt, whose end is not the caller's doing.
func canceledByCaller(ctx context.Context) bool {
	op, ok := operationOf(ctx)
	return ok && op.canceled()
}

package failsafebackend

import (
	"sync"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/common"
	"github.com/failsafe-go/failsafe-go/policy"
)

// breaker is a circuit breaker that does not count attempts that say nothing about the
// backend: those that the caller cancelled, and those that ended before the store was
// asked. An error of a healthy store is a success to it. To the breaker of failsafe-go
// itself each attempt is either a success or a failure.
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

// Apply implements the executor of a policy of failsafe-go.
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
		switch op, _ := operationOf(exec.Context()); {
		case result.Error == nil:
			return e.inner.PostExecute(internal, result)
		case healthOf(op, result.Error) == healthy:
			e.inner.OnSuccess(internal, result)
			return result.WithFailure()
		case healthOf(op, result.Error) == unhealthy:
			return e.inner.PostExecute(internal, result)
		}
		if probe {
			e.breaker.keep()
		}
		return result.WithFailure()
	}
}

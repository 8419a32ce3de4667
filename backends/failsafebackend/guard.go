package failsafebackend

import (
	"context"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/common"
)

// guard is a policy between the retries of [WithRetry] and all others. It marks a
// failure that must not be retried. It asks the call, because the error does not say
// so: a policy may replace the attempt's error by its own, or return one attempt's
// while another still runs. The mark is a result and does not change the error, and no
// policy of the user's sees it.
type guard struct{}

// mark is the result of a failure that must not be repeated.
type mark struct{}

func unrepeatable(result any) bool {
	_, marked := result.(mark)
	return marked
}

// ToExecutor implements [failsafe.Policy].
func (guard) ToExecutor(any) any { return guard{} }

// Apply implements the executor of a policy of failsafe-go.
func (guard) Apply(next func(exec failsafe.Execution[any]) *common.PolicyResult[any]) func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
	return func(exec failsafe.Execution[any]) *common.PolicyResult[any] {
		result := next(exec)
		op, ok := operationOf(exec.Context())
		if !ok || result.Error == nil || op.repeatable(result.Error) {
			return result
		}
		marked := *result
		marked.Result = mark{}
		return &marked
	}
}

// operation describes a call to the policies.
type operation interface {
	repeatable(err error) bool
	cancelled(err error) bool
}

// operationKey is where the contexts of a call's attempts have the call.
type operationKey struct{}

func withOperation(ctx context.Context, op operation) context.Context {
	return context.WithValue(ctx, operationKey{}, op)
}

func operationOf(ctx context.Context) (op operation, ok bool) {
	op, ok = ctx.Value(operationKey{}).(operation)
	return op, ok
}

package failsafebackend_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// all are all simple options at once.
var all = []failsafebackend.Option{
	failsafebackend.WithRetry(2, 10*time.Millisecond, time.Second),
	failsafebackend.WithCircuitBreaker(5, 10*time.Second),
	failsafebackend.WithBulkhead(100, 50*time.Millisecond),
	failsafebackend.WithTimeout(200 * time.Millisecond),
}

func decorate[V any](t *testing.T, next backends.Backend[V], opts ...failsafebackend.Option) *failsafebackend.Backend[V] {
	t.Helper()
	b, err := failsafebackend.New(next, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func newFaults() *backendtest.Faults[string] {
	return backendtest.WithFaults(backendtest.NewMap[string]())
}

func entry(value string) backends.Entry[string] { return backends.Entry[string]{Value: value} }

// repeatsAll is a user's retry policy that repeats whatever the backend returns.
func repeatsAll(maxRetries int, delay time.Duration) failsafebackend.Option {
	return failsafebackend.WithRetryPolicy(retrypolicy.NewBuilder[any]().
		WithMaxRetries(maxRetries).
		WithDelay(delay).
		AbortOnErrors(circuitbreaker.ErrOpen).
		ReturnLastFailure().
		Build())
}

// plain hides all but the three methods.
type plain struct{ backends.Backend[int] }

var (
	errLost = errors.New("lost")
	errFull = errors.New("full")
)

// The fates of one attempt.
const (
	applied = 'a' // and said so
	failed  = 'f' // certainly not applied
	lost    = 'l' // not applied, and nobody knows
	ghost   = 'g' // applied, and nobody knows
)

func faultOf(attempt rune) backendtest.Fault {
	switch attempt {
	case applied:
		return nil
	case failed:
		return backendtest.FailBefore(errFull)
	case lost:
		return backendtest.Lose(errLost)
	default:
		return backendtest.ApplyThenFail(errLost)
	}
}

// script queues the fates of the coming calls.
func script(faults *backendtest.Faults[string], call tier.Kind, attempts string) {
	for _, attempt := range attempts {
		faults.Next(call, faultOf(attempt))
	}
}

// writes are all ways to write. Each makes a change that can be seen.
var writes = map[string]struct {
	call  tier.Kind
	write func(ctx context.Context, b backends.Backend[string]) error
}{
	"Set": {tier.Set, func(ctx context.Context, b backends.Backend[string]) error {
		return b.Set(ctx, "k", entry("new"))
	}},
	"Delete": {tier.Delete, func(ctx context.Context, b backends.Backend[string]) error {
		return b.Delete(ctx, "k")
	}},
	"staged": {tier.Set, func(ctx context.Context, b backends.Backend[string]) error {
		set, err := b.(backends.Stager[string]).Stage(ctx, "k", entry("new"))
		if err != nil {
			return err
		}
		return set(ctx)
	}},
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func(t *testing.T) backends.Backend[int]{
		"no options": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			return decorate(t, backendtest.NewMap[int]())
		},
		"all options": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			return decorate(t, backendtest.NewMap[int](), all...)
		},
		"over a Stager": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			return decorate(t, backendtest.WithFaults(backendtest.NewMap[int]()), all...)
		},
		"over a backend that is nothing else": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			return decorate(t, plain{backendtest.NewMap[int]()}, all...)
		},
		"over itself": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			return decorate(t, decorate(t, backendtest.NewMap[int](), all...), all...)
		},
		"failing at first": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			faults := backendtest.WithFaults(backendtest.NewMap[int]())
			for range 20 {
				faults.Next(tier.Get, backendtest.Lose(errLost), backendtest.ApplyThenFail(errLost), nil)
				for _, call := range []tier.Kind{tier.Set, tier.Delete} {
					faults.Next(call, backendtest.FailBefore(errFull), backendtest.FailBefore(errLost), nil)
				}
			}
			return decorate(t, faults, failsafebackend.WithRetry(100, time.Microsecond, time.Microsecond))
		},
		"lost at first, with a policy that repeats all": func(t *testing.T) backends.Backend[int] {
			t.Helper()
			faults := backendtest.WithFaults(backendtest.NewMap[int]())
			for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
				for range 20 {
					faults.Next(call, backendtest.Lose(errLost), backendtest.ApplyThenFail(errLost), nil)
				}
			}
			return decorate(t, faults, repeatsAll(100, time.Microsecond))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[int]{New: create, Value: func(i int) int { return i }, Bubble: true}.Run(t)
		})
	}
}

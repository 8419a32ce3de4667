package failsafebackend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
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

// plain hides all but the three methods.
type plain struct{ backends.Backend[int] }

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
			for _, call := range []backendtest.Call{backendtest.Get, backendtest.Set, backendtest.Delete} {
				for range 20 {
					faults.Next(call, backendtest.Lose(errLost), backendtest.ApplyThenFail(errLost), nil)
				}
			}
			return decorate(t, faults, failsafebackend.WithRetry(100, time.Microsecond, time.Microsecond))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[int]{New: create, Value: func(i int) int { return i }, Bubble: true}.Run(t)
		})
	}
}

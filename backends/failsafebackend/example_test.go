package failsafebackend_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

func ExampleNew() {
	// A store that is not there at first, and says that it was sent nothing.
	store := backendtest.WithFaults(backendtest.NewMap[string]())
	store.Next(tier.Set, backendtest.FailBefore(errors.New("connection refused")))

	l2, err := failsafebackend.New(store,
		failsafebackend.WithRetry(2, time.Millisecond, time.Second),
		failsafebackend.WithTimeout(200*time.Millisecond),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l2.Close() }()

	ctx := context.Background()
	fmt.Println(l2.Set(ctx, "greeting", backends.Entry[string]{Value: "hello"}))
	entry, ok, err := l2.Get(ctx, "greeting")
	fmt.Println(entry.Value, ok, err)
	fmt.Println(store.Calls(tier.Set))
	// Output:
	// <nil>
	// hello true <nil>
	// 2
}

// An attempt that may have been applied ends the repetitions.
func ExampleError() {
	store := backendtest.WithFaults(backendtest.NewMap[string]())
	store.Next(tier.Set, backendtest.FailBefore(errors.New("connection refused")))
	store.Next(tier.Set, backendtest.ApplyThenFail(errors.New("connection reset")))

	l2, err := failsafebackend.New(store, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = l2.Set(context.Background(), "k", backends.Entry[string]{Value: "v"})
	fmt.Println(err)
	fmt.Println(backends.CertainlyNotApplied(err))
	// Output:
	// failsafebackend: set failed after 2 attempts: connection reset
	// false
}

// A store that marks no errors, and one of which is known to come before the write.
func ExampleWithClassifier() {
	errBusy := errors.New("busy")
	store := backendtest.WithFaults(backendtest.NewMap[string]())
	store.Next(tier.Set, backendtest.Lose(errBusy))

	l2, err := failsafebackend.New(store,
		failsafebackend.WithRetry(2, time.Millisecond, time.Second),
		failsafebackend.WithClassifier(func(err error) bool {
			return backends.CertainlyNotApplied(err) || errors.Is(err, errBusy)
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l2.Set(context.Background(), "k", backends.Entry[string]{Value: "v"}))
	fmt.Println(store.Calls(tier.Set))
	// Output:
	// <nil>
	// 2
}

func ExampleWithCircuitBreaker() {
	store := backendtest.WithFaults(backendtest.NewMap[string]())
	store.Always(tier.Set, backendtest.Lose(errors.New("timeout")))

	l2, err := failsafebackend.New(store, failsafebackend.WithCircuitBreaker(2, time.Minute))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l2.Close() }()

	for range 3 {
		err := l2.Set(context.Background(), "k", backends.Entry[string]{Value: "v"})
		fmt.Printf("%v (certainly not applied: %t)\n", err, backends.CertainlyNotApplied(err))
	}
	// Output:
	// timeout (certainly not applied: false)
	// timeout (certainly not applied: false)
	// failsafebackend: set refused without an attempt: circuit breaker open (certainly not applied: true)
}

func ExampleWithBulkhead() {
	l2, err := failsafebackend.New(backendtest.NewMap[string](), failsafebackend.WithBulkhead(100, 50*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l2.Set(context.Background(), "k", backends.Entry[string]{Value: "v"}))
	// Output: <nil>
}

package backendtest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

func ExampleWithFaults() {
	store := backendtest.NewMap[string]()
	l2 := backendtest.WithFaults(store)
	l2.Next(tier.Set, backendtest.ApplyThenFail(errors.New("connection lost")))

	ctx := context.Background()
	entry := backends.Entry[string]{Value: "value"}
	fmt.Println(l2.Set(ctx, "a", entry), len(store.Snapshot()))
	fmt.Println(l2.Set(ctx, "b", entry), len(store.Snapshot()))
	fmt.Println("calls:", l2.Calls(tier.Set))
	// Output:
	// connection lost 1
	// <nil> 2
	// calls: 2
}

func ExampleChain() {
	errLost := errors.New("connection lost")
	l2 := backendtest.WithFaults(backendtest.NewMap[string]())
	l2.Always(tier.Set, backendtest.Chain(
		func(ctx context.Context, apply func(context.Context) error) error {
			fmt.Println("asked")
			return apply(ctx)
		},
		backendtest.ApplyThenFail(errLost),
	))
	fmt.Println(l2.Set(context.Background(), "key", backends.Entry[string]{Value: "value"}))
	// Output:
	// asked
	// connection lost
}

// A write is held after the store has it and before the caller knows.
func ExampleGate() {
	store := backendtest.NewMap[string]()
	l2 := backendtest.WithFaults(store)
	gate := backendtest.NewGate()
	l2.Next(tier.Set, gate.After())

	ctx := context.Background()
	done := make(chan error)
	go func() { done <- l2.Set(ctx, "key", backends.Entry[string]{Value: "value"}) }()

	<-gate.Arrived()
	entry, ok, err := store.Get(ctx, "key")
	fmt.Println(entry.Value, ok, err)
	gate.Open()
	fmt.Println(<-done)
	// Output:
	// value true <nil>
	// <nil>
}

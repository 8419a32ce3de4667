package writepolicy_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// withL2Down writes "new" by a policy, where both tiers hold "old" and the connection
// to L2 is lost. It prints the result of the caller, the values in the tiers, and the
// argument of the inconsistency hook.
func withL2Down(p writepolicy.Policy) {
	l1 := backendtest.NewMap[string]()
	store := backendtest.NewMap[string]()
	ctx := context.Background()
	for _, tier := range []*backendtest.Map[string]{l1, store} {
		if err := tier.Set(ctx, "key", backends.Entry[string]{Value: "old"}); err != nil {
			fmt.Println(err)
		}
	}
	l2 := backendtest.WithFaults(store)
	l2.Next(tier.Set, backendtest.Lose(errors.New("connection lost")))

	var found []tiercache.Inconsistency
	cache, err := tiercache.New("users", l1, l2,
		tiercache.WithWritePolicy(p),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) { found = append(found, i) }),
		tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("error:", cache.Set(ctx, "key", "new", 0))
	if err := cache.Close(ctx); err != nil { // waits for detached writes
		fmt.Println(err)
	}
	fmt.Printf("l1: %q, l2: %q\n", l1.Snapshot()["key"].Value, store.Snapshot()["key"].Value)
	for _, i := range found {
		fmt.Printf("inconsistency: stale %v, resolved %t\n", i.Verdict.Stale, i.Verdict.Resolved)
	}
}

// L1 has a value that L2 may not have.
func ExampleSequential() {
	withL2Down(writepolicy.Sequential())
	// Output:
	// error: tiercache: set (sequential): l1 applied; l2 set unknown: connection lost; the tiers may differ: l2 may be stale
	// l1: "new", l2: "old"
	// inconsistency: stale l2, resolved false
}

// L1 is not written before L2, and its copy is dropped, so that readers in this process
// get the value of L2.
func ExampleSequential_l2First() {
	withL2Down(writepolicy.Sequential(writepolicy.L2First))
	// Output:
	// error: tiercache: set (sequential_l2_first): l1 skipped; l2 set unknown: connection lost; the copy in l1 was dropped, so the tiers do not differ
	// l1: "", l2: "old"
	// inconsistency: stale l1, resolved true
}

// L1 drops the value that L2 may not have.
func ExampleInvalidateL1() {
	withL2Down(writepolicy.Sequential(writepolicy.InvalidateL1()))
	// Output:
	// error: tiercache: set (sequential_invalidate_l1): l1 applied; l2 set unknown: connection lost; the copy in l1 was dropped, so the tiers do not differ
	// l1: "", l2: "old"
	// inconsistency: stale l2, resolved true
}

// One tier did not apply the write, so it is an error.
func ExampleParallel() {
	withL2Down(writepolicy.Parallel())
	// Output:
	// error: tiercache: set (parallel): l1 applied; l2 set unknown: connection lost; the tiers may differ: l2 may be stale
	// l1: "new", l2: "old"
	// inconsistency: stale l2, resolved false
}

// One tier has applied the write, so it is a success, and an inconsistency.
func ExampleOptimisticParallel() {
	withL2Down(writepolicy.OptimisticParallel())
	// Output:
	// error: <nil>
	// l1: "new", l2: "old"
	// inconsistency: stale l2, resolved false
}

// L1 was first, and the outcome in L2 is known later.
func ExampleRace() {
	withL2Down(writepolicy.Race(writepolicy.MaxDetached(16)))
	// Output:
	// error: <nil>
	// l1: "new", l2: "old"
	// inconsistency: stale l2, resolved false
}

// L1 never holds values that were written, only those that were read. As L2 may have
// applied the write, the copy in L1 is dropped.
func ExampleWriteAround() {
	withL2Down(writepolicy.WriteAround())
	// Output:
	// error: tiercache: set (write_around): l1 skipped; l2 set unknown: connection lost; the copy in l1 was dropped, so the tiers do not differ
	// l1: "", l2: "old"
	// inconsistency: stale l1, resolved true
}

// A policy that tries L2 twice.
func ExamplePolicyFunc() {
	twice := writepolicy.PolicyFunc(func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
		if err := l1.Write(ctx); err != nil {
			return err
		}
		if l2.Write(ctx) == nil {
			return nil
		}
		return l2.Write(ctx)
	})
	withL2Down(twice)
	// Output:
	// error: <nil>
	// l1: "new", l2: "new"
}

// The name is that of the policy in telemetry and in errors.
func ExampleWithName() {
	withL2Down(writepolicy.WithName("write_through", writepolicy.Sequential()))
	// Output:
	// error: tiercache: set (write_through): l1 applied; l2 set unknown: connection lost; the tiers may differ: l2 may be stale
	// l1: "new", l2: "old"
	// inconsistency: stale l2, resolved false
}

// The error has the outcome in each tier.
func ExampleError() {
	l1, l2 := backendtest.NewMap[string](), backendtest.WithFaults(backendtest.NewMap[string]())
	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		fmt.Println(err)
		return
	}
	l2.Always(tier.Set, backendtest.FailBefore(errors.New("connection refused")))
	err = cache.Set(context.Background(), "key", "new", 0)
	if e, ok := errors.AsType[*tier.WriteError](err); ok {
		fmt.Println("l1:", e.L1.Outcome)
		fmt.Println("l2:", e.L2.Outcome)
	}
	fmt.Println("may differ:", errors.Is(err, tier.ErrInconsistent))
	// Output:
	// l1: applied
	// l2: failed
	// may differ: true
}

package tiercachetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// exampleTB stands for the *testing.T of a test, which an example does not have.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()        {}
func (exampleTB) Cleanup(func()) {}

// L2 refuses a write, and the test sees the report of the cache.
func ExampleNew() {
	t := exampleTB{}
	f := tiercachetest.New[string](t)
	f.L2.Next(tier.Set, backendtest.FailBefore(errors.New("refused")))
	err := f.Set(context.Background(), "user:42", "Ada", time.Hour)
	fmt.Println(errors.Is(err, tiercache.ErrInconsistent))
	fmt.Println(f.Holds("user:42"))
	// Output:
	// true
	// Ada
}

// Both tiers are prepared before the cache is made.
func ExampleOver() {
	t := exampleTB{}
	tiers := tiercachetest.NewTiers[int]()
	tiers.L1.Always(tier.Get, backendtest.Lose(errors.New("unreadable")))
	f := tiercachetest.Over(t, tiers)
	_ = f.Set(context.Background(), "answer", 42, 0)
	fmt.Println(f.Get(context.Background(), "answer"))
	fmt.Println(f.L2.Calls(tier.Get), "call of L2")
	// Output:
	// 42 true <nil>
	// 1 call of L2
}

func ExampleNewTiers() {
	tiers := tiercachetest.NewTiers[string]()
	cache, err := tiercache.New("users", tiers.L1, tiers.L2, tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cache.Set(context.Background(), "user:42", "Ada", 0))
	fmt.Println(tiers.Holds("user:42"))
	// Output:
	// <nil>
	// Ada Ada
}

// The outcome of a write that timed out is unknown. The cache reports that the
// tiers may differ, and the trace shows where it comes from.
func ExampleNewRecorder() {
	t := exampleTB{}
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, rec.Options()...)
	f.L2.Next(tier.Set, backendtest.ApplyThenFail(context.DeadlineExceeded))
	_ = f.Set(context.Background(), "user:42", "Ada", 0)

	for _, i := range rec.Inconsistencies() {
		fmt.Println(i.Key, i.L1.Outcome, i.L2.Outcome)
	}
	fmt.Print(rec.Tree(tiercachetest.ShortNames(),
		tiercachetest.Only(tracing.AttrOutcome, tracing.AttrConsistent, tracing.AttrStaleTier)))
	// Output:
	// user:42 applied unknown
	// set users (internal) Error consistent=false
	//   "tiercache: set (sequential): l1 applied; l2 set unknown: context deadline exceeded; the tiers may differ: l2 may be stale"
	//   ! tiercache.inconsistency inconsistency.stale_tier=l2
	//   set users l1 (internal) outcome=applied
	//   set users l2 (client) Error outcome=unknown
	//     "l2 set unknown: context deadline exceeded"
}

// A read that finds its entry in L2, and the metrics of it.
func ExampleRecorder_Metrics() {
	t := exampleTB{}
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, rec.Options()...)
	_, _, _ = f.Get(context.Background(), "user:42")
	lines, err := rec.Metrics(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range lines[:2] {
		fmt.Println(line)
	}
	// Output:
	// tiercache.lookups {lookup} value=1 tiercache.cache.name=users tiercache.lookup.result=miss tiercache.tier.name=l1
	// tiercache.lookups {lookup} value=1 tiercache.cache.name=users tiercache.lookup.result=miss tiercache.tier.name=l2
}

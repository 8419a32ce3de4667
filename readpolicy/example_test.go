package readpolicy_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
)

// tiers are maps that can be made to fail or to be slow.
type tiers struct{ l1, l2 *backendtest.Faults[string] }

// newCache returns a cache whose tiers differ: L1 has "old" for a minute, and L2
// has "new", which another instance has written, for an hour.
func newCache(p readpolicy.Policy) (*tiercache.Cache[string], tiers) {
	t := tiers{backendtest.WithFaults(backendtest.NewMap[string]()), backendtest.WithFaults(backendtest.NewMap[string]())}
	ctx, now := context.Background(), time.Now()
	_ = t.l1.Set(ctx, "key", backends.Entry[string]{Value: "old", ExpiresAt: now.Add(time.Minute)})
	_ = t.l2.Set(ctx, "key", backends.Entry[string]{Value: "new", ExpiresAt: now.Add(time.Hour)})
	cache, err := tiercache.New("users", t.l1, t.l2,
		tiercache.WithReadPolicy(p),
		tiercache.WithRefill(tiercache.RefillNever), // so that the tiers stay as they are
		tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err) // the options are valid
	}
	return cache, t
}

// get reads the key, and prints what the caller gets and whether L2 was asked.
func get(cache *tiercache.Cache[string], t tiers) {
	before := t.l2.Calls(backendtest.Get)
	value, ok, err := cache.Get(context.Background(), "key")
	fmt.Printf("%q %t %v, L2 asked: %t\n", value, ok, err, t.l2.Calls(backendtest.Get) > before)
}

// A hit in L1 costs no call of L2. An error of L1 costs no more than a miss.
func ExampleSequential() {
	cache, t := newCache(readpolicy.Sequential())
	get(cache, t)
	t.l1.Next(backendtest.Get, backendtest.Lose(errors.New("out of order")))
	get(cache, t)
	// Output:
	// "old" true <nil>, L2 asked: false
	// "new" true <nil>, L2 asked: true
}

// L1 hangs, so L2 wins.
func ExampleRace() {
	cache, t := newCache(readpolicy.Race(readpolicy.CancelLoser()))
	t.l1.Next(backendtest.Get, backendtest.Hang()) // until its context ends
	get(cache, t)
	fmt.Println(cache.Close(context.Background())) // waits for the loser
	// Output:
	// "new" true <nil>, L2 asked: true
	// <nil>
}

// The entry that lives longer is the one that was written later.
func ExampleParallel() {
	cache, t := newCache(readpolicy.Parallel())
	get(cache, t)
	t.l2.Next(backendtest.Get, backendtest.Lose(errors.New("connection lost")))
	get(cache, t)
	// Output:
	// "new" true <nil>, L2 asked: true
	// "old" true <nil>, L2 asked: true
}

// A policy that trusts L1 only when L2 cannot be asked.
func ExamplePolicyFunc() {
	l2First := readpolicy.PolicyFunc(func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
		a2, err2 := l2.Read(ctx)
		if err2 == nil && a2.Hit {
			return readpolicy.L2, nil
		}
		a1, err1 := l1.Read(ctx)
		if err1 == nil && a1.Hit {
			return readpolicy.L1, nil
		}
		return readpolicy.None, errors.Join(err1, err2)
	})
	cache, t := newCache(readpolicy.WithName("l2_first", l2First))
	get(cache, t)
	lost := backendtest.Lose(errors.New("connection lost"))
	t.l2.Always(backendtest.Get, lost)
	get(cache, t)
	t.l1.Always(backendtest.Get, lost)
	get(cache, t)
	// Output:
	// "new" true <nil>, L2 asked: true
	// "old" true <nil>, L2 asked: true
	// "" false tiercache: get: l1 get failed: connection lost
	// l2 get failed: connection lost, L2 asked: true
}

// The name is that of the policy in telemetry.
func ExampleWithName() {
	own := readpolicy.PolicyFunc(readpolicy.Race().Read)
	fmt.Println(readpolicy.NameOf(own))
	fmt.Println(readpolicy.NameOf(readpolicy.WithName("fastest", own)))
	// Output:
	// custom
	// fastest
}

package tiercache_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// Two instances of a service share an L2, and each has an L1. The store of this example
// tells them of changes when it is asked to; others, redisbackend with its log for
// instance, do by themselves.
func ExampleWithCoherence() {
	ctx, store := context.Background(), backendtest.NewStore[string]()
	open := func(l2 *backendtest.Client[string]) *tiercache.Cache[string] {
		cache, err := tiercache.New("users", backendtest.NewMap[string](), l2,
			tiercache.WithCoherence(2*time.Second, tiercache.AskL2), tiercache.WithTelemetry(tracing.Disabled()))
		if err != nil {
			log.Fatal(err)
		}
		<-l2.Watched()
		l2.Sync()
		return cache
	}
	l2a, l2b := store.Client(), store.Client()
	a, b := open(l2a), open(l2b)
	show := func() {
		entry, _, err := b.GetEntry(ctx, "42")
		fmt.Println(entry.Value, entry.Tier, err)
	}
	_ = a.Set(ctx, "42", "Ada", 0)
	show()
	show()
	_ = a.Set(ctx, "42", "Ada Lovelace", 0)
	l2b.Sync() // b drops its copy
	show()
	fmt.Println("trusted:", b.Status().Coherence.Trusted)
	_, _ = a.Close(ctx), b.Close(ctx)
	// Output:
	// Ada l2 <nil>
	// Ada l1 <nil>
	// Ada Lovelace l2 <nil>
	// trusted: true
}

package otterbackend_test

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func ExampleNew() {
	l1, err := otterbackend.New[string](otterbackend.WithMaximumSize(50_000))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l1.Close() }()

	ctx := context.Background()
	_ = l1.Set(ctx, "greeting", backends.Entry[string]{
		Value:     "hello",
		ExpiresAt: time.Now().Add(time.Minute),
	})
	entry, ok, err := l1.Get(ctx, "greeting")
	fmt.Println(entry.Value, ok, err)
	_, ok, err = l1.Get(ctx, "farewell")
	fmt.Println(ok, err)
	// Output:
	// hello true <nil>
	// false <nil>
}

func ExampleWithMaximumWeight() {
	bytes := func(key string, value []byte) uint32 { return uint32(len(key) + len(value)) }
	l1, err := otterbackend.New[[]byte](otterbackend.WithMaximumWeight(64<<20, bytes))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l1.Close() }()
	fmt.Println(l1.Describe().InProcess)
	// Output: true
}

func ExampleFromCache() {
	cache := otter.Must(&otter.Options[string, otterbackend.Item[string]]{
		MaximumSize:      10_000,
		ExpiryCalculator: otterbackend.Expiry[string](),
		StatsRecorder:    stats.NewCounter(),
	})
	defer cache.StopAllGoroutines()

	l1, err := otterbackend.FromCache(cache)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_ = l1.Set(ctx, "k", backends.Entry[string]{Value: "v"})
	_, _, _ = l1.Get(ctx, "k")
	fmt.Println(cache.Stats().Hits)
	// Output: 1
}

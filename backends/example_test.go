package backends_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

func ExampleWithCodec() {
	type Product struct{ Name string }

	store := backendtest.NewMap[[]byte]() // any store of bytes
	products, err := backends.WithCodec(store, backends.JSON[Product]())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := products.Set(ctx, "4711", backends.Entry[Product]{Value: Product{Name: "lamp"}}); err != nil {
		fmt.Println(err)
	}
	entry, ok, err := products.Get(ctx, "4711")
	fmt.Println(entry.Value.Name, ok, err)
	fmt.Printf("%s\n", store.Snapshot()["4711"].Value)
	// Output:
	// lamp true <nil>
	// {"Name":"lamp"}
}

// A store refuses keys that are too long before it sends them, and says so.
func ExampleNotApplied() {
	errTooLong := errors.New("the key is longer than 250 bytes")
	refusal := fmt.Errorf("set: %w", backends.NotApplied(errTooLong))

	fmt.Println(backends.CertainlyNotApplied(refusal), errors.Is(refusal, errTooLong))
	fmt.Println(backends.CertainlyNotApplied(context.DeadlineExceeded))
	// Output:
	// true true
	// false
}

func ExampleEntry_Expired() {
	now := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	hour := backends.Entry[string]{Value: "value", ExpiresAt: now.Add(time.Hour)}
	fmt.Println(hour.Expired(now), hour.Expired(now.Add(time.Hour)))
	fmt.Println(backends.Entry[string]{Value: "value"}.Expired(now))
	// Output:
	// false true
	// false
}

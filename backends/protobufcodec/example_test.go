package protobufcodec_test

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/protobufcodec"
)

func ExampleNew() {
	store := backendtest.NewMap[[]byte]() // Redis, for instance
	limits, err := backends.WithCodec(store, protobufcodec.New[*durationpb.Duration]())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := limits.Set(ctx, "1", backends.Entry[*durationpb.Duration]{Value: &durationpb.Duration{Seconds: 90}}); err != nil {
		fmt.Println(err)
		return
	}
	entry, _, err := limits.Get(ctx, "1")
	raw, _, _ := store.Get(ctx, "1")
	fmt.Println(entry.Value.AsDuration(), err, len(raw.Value), "bytes")
	// Output: 1m30s <nil> 2 bytes
}

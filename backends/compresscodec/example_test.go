package compresscodec_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/compresscodec"
)

func ExampleNew() {
	store := backendtest.NewMap[[]byte]() // Redis, for instance
	pages, err := backends.WithCodec(store, compresscodec.New(backends.String()))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	page := strings.Repeat("<p>A line of a page.</p>\n", 1000)
	if err := pages.Set(ctx, "home", backends.Entry[string]{Value: page}); err != nil {
		fmt.Println(err)
		return
	}
	entry, _, err := pages.Get(ctx, "home")
	raw, _, _ := store.Get(ctx, "home")
	fmt.Println(len(entry.Value), err, "smaller:", len(raw.Value) < 1000)
	// Output: 25000 <nil> smaller: true
}

// S2 costs less time. Values that were compressed by zstd are still read.
func ExampleWithAlgorithm() {
	codec := compresscodec.New(backends.String(),
		compresscodec.WithAlgorithm(compresscodec.S2),
		compresscodec.WithMinSize(100))
	data, err := codec.Encode(strings.Repeat("a", 10_000))
	fmt.Println(len(data) < 1000, err)
	// Output: true <nil>
}

package badgerbackend_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	ctx := context.Background()
	for range 2 { // the second time it finds what the first one wrote
		store, err := badgerbackend.Open(dir, badgerbackend.WithGCInterval(time.Hour))
		if err != nil {
			fmt.Println(err)
			return
		}
		l2, err := backends.WithCodec(store, backends.String())
		if err != nil {
			fmt.Println(err)
			return
		}
		entry, ok, err := l2.Get(ctx, "greeting")
		fmt.Printf("%q %t %v\n", entry.Value, ok, err)
		err = l2.Set(ctx, "greeting", backends.Entry[string]{
			Value:     "hello",
			ExpiresAt: time.Now().Add(time.Hour),
		})
		fmt.Println(err, store.Close())
	}
	// Output:
	// "" false <nil>
	// <nil> <nil>
	// "hello" true <nil>
	// <nil> <nil>
}

func ExampleOpenInMemory() {
	store, err := badgerbackend.OpenInMemory()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()

	ctx := context.Background()
	_ = store.Set(ctx, "k", backends.Entry[[]byte]{Value: []byte("v")})
	_ = store.Delete(ctx, "k")
	_, ok, err := store.Get(ctx, "k")
	fmt.Println(ok, err)
	// Output: false <nil>
}

func ExampleNew() {
	db, err := badger.Open(badger.DefaultOptions("").WithInMemory(true).WithLogger(nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()

	store, err := badgerbackend.New(db)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(store.Describe().System, store.Close(), db.IsClosed())
	// Output: badger <nil> false
}

func ExampleBackend_Stage() {
	store, err := badgerbackend.OpenInMemory()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()

	_, err = store.Stage(context.Background(), "k", backends.Entry[[]byte]{Value: make([]byte, 1<<20)})
	var tooLarge *backends.TooLargeError
	fmt.Println(errors.As(err, &tooLarge), backends.CertainlyNotApplied(err))
	fmt.Println(err)
	// Output:
	// true true
	// backends: the value has 1048576 bytes, and the store takes 1048539: do not cache it, split it, or keep the store on disk
}

func ExampleWithBadgerOptions() {
	store, err := badgerbackend.OpenInMemory(
		badgerbackend.WithBadgerOptions(func(opts badger.Options) badger.Options {
			return opts.WithCompression(options.ZSTD).WithBlockCacheSize(32 << 20)
		}),
	)
	fmt.Println(err)
	if err == nil {
		fmt.Println(store.Close())
	}
	// Output:
	// <nil>
	// <nil>
}

package rueidisbackend_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/tier"
)

func Example() {
	ctx := context.Background()
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress:      []string{server.Addr()},
		DisableCache:     true,
		AlwaysPipelining: true,
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	store, err := rueidisbackend.New(client, rueidisbackend.WithKeyPrefix("shop:price:"))
	if err != nil {
		panic(err)
	}
	prices, err := backends.WithCodec(store, backends.JSON[float64]())
	if err != nil {
		panic(err)
	}
	err = prices.Set(ctx, "apple", backends.Entry[float64]{Value: 0.79, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		panic(err)
	}
	price, ok, err := prices.Get(ctx, "apple")
	fmt.Println(price.Value, ok, err)
	// Output: 0.79 true <nil>
}

// Calls of many goroutines share the round trips of one connection.
func ExampleNew() {
	ctx := context.Background()
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr()}, DisableCache: true, AlwaysPipelining: true,
	})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	store, err := rueidisbackend.New(client, rueidisbackend.WithKeyPrefix("shop:"), rueidisbackend.WithRetries(1))
	if err != nil {
		panic(err)
	}
	keys := []string{"apple", "pear"}
	writes := []backends.Write[[]byte]{
		{Key: "apple", Kind: tier.Set, Entry: backends.Entry[[]byte]{Value: []byte("0.79")}},
		{Key: "pear", Kind: tier.Set, Entry: backends.Entry[[]byte]{Value: []byte("0.99")}},
	}
	done, got := make([]backends.Done, 2), make([]backends.Got[[]byte], 2)
	store.WriteMany(ctx, writes, done)
	store.GetMany(ctx, keys, got)
	for i := range keys {
		fmt.Println(keys[i], string(got[i].Entry.Value), done[i].Err)
	}
	// Output:
	// apple 0.79 <nil>
	// pear 0.99 <nil>
}

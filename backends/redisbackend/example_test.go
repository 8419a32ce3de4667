package redisbackend_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// run stands for a server.
func run() (addr string, stop func()) {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		panic(err)
	}
	return server.Addr(), server.Close
}

func ExampleNew() {
	addr, stop := run()
	defer stop()

	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()

	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("shop:"))
	if err != nil {
		fmt.Println(err)
		return
	}
	l2, err := backends.WithCodec(store, backends.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	err = l2.Set(ctx, "greeting", backends.Entry[string]{
		Value:     "hello",
		ExpiresAt: time.Now().Add(time.Hour),
	})
	fmt.Println(err)
	entry, ok, err := l2.Get(ctx, "greeting")
	fmt.Println(entry.Value, ok, err)
	fmt.Println(client.Exists(ctx, "shop:greeting").Val())
	// Output:
	// <nil>
	// hello true <nil>
	// 1
}

func ExampleWithRawValues() {
	addr, stop := run()
	defer stop()

	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()

	store, err := redisbackend.New(client, redisbackend.WithRawValues(), redisbackend.WithoutKeyPrefix())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	client.Set(ctx, "theirs", "written by another program", time.Minute)
	entry, ok, err := store.Get(ctx, "theirs")
	fmt.Printf("%s %t %v\n", entry.Value, ok, err)
	fmt.Println(time.Until(entry.ExpiresAt).Round(time.Minute))
	// Output:
	// written by another program true <nil>
	// 1m0s
}

// Without a server nothing can have been applied, however often it was tried.
func ExampleError() {
	addr, stop := run()
	stop()

	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: 1, DialerRetries: 1})
	defer func() { _ = client.Close() }()

	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("shop:"))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.Set(context.Background(), "k", backends.Entry[[]byte]{Value: []byte("v")})
	if failed, ok := errors.AsType[*redisbackend.Error](err); ok {
		fmt.Println(failed.Op, failed.Attempts, failed.ErrorType())
	}
	fmt.Println(backends.CertainlyNotApplied(err))
	// Output:
	// set 2 connection_refused
	// true
}

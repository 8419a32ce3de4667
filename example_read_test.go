package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// L1 is empty, as after a restart, and L2 is not. The first read fills L1.
func ExampleCache_Get() {
	ctx := context.Background()
	l1, l2 := backendtest.NewMap[User](), backendtest.NewMap[User]()
	users, _ := tiercache.New("users", l1, l2)
	_ = l2.Set(ctx, "42", backends.Entry[User]{Value: User{Name: "Ada"}, ExpiresAt: time.Now().Add(time.Hour)})

	_, ok, _ := l1.Get(ctx, "42")
	fmt.Println("in L1 before:", ok)
	user, ok, err := users.Get(ctx, "42")
	fmt.Println(user.Name, ok, err)
	entry, ok, _ := l1.Get(ctx, "42")
	fmt.Println("in L1 afterwards:", ok, entry.Value.Name)
	// Output:
	// in L1 before: false
	// Ada true <nil>
	// in L1 afterwards: true Ada
}

// Three callers want a user whom neither tier has. The loader runs once.
func ExampleCache_GetOrLoad() {
	l1, l2 := backendtest.NewMap[User](), backendtest.NewMap[User]()
	users, _ := tiercache.New("users", l1, l2)

	var loads atomic.Int32
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			user, err := users.GetOrLoad(context.Background(), "42", time.Hour, func(context.Context, string) (User, error) {
				loads.Add(1) // a query of a database, say
				return User{Name: "Ada"}, nil
			})
			fmt.Println(user.Name, err)
		})
	}
	callers.Wait()
	fmt.Println("loads:", loads.Load())
	fmt.Println("in L1:", l1.Snapshot()["42"].Value.Name)
	fmt.Println("in L2:", l2.Snapshot()["42"].Value.Name)
	// Output:
	// Ada <nil>
	// Ada <nil>
	// Ada <nil>
	// loads: 1
	// in L1: Ada
	// in L2: Ada
}

// A loader says by an error that there is nothing, and so does GetOrLoad.
func ExampleCache_GetOrLoad_notFound() {
	users, _ := tiercache.New("users", backendtest.NewMap[User](), backendtest.NewMap[User]())
	_, err := users.GetOrLoad(context.Background(), "7", time.Hour, func(context.Context, string) (User, error) {
		return User{}, fmt.Errorf("table users: %w", backends.ErrNotFound)
	})
	fmt.Println(errors.Is(err, backends.ErrNotFound))
	fmt.Println(err)
	// Output:
	// true
	// tiercache: load: table users: backends: not found
}

// That there is nothing is remembered, until the key is written.
func ExampleWithNegativeTTL() {
	ctx := context.Background()
	users, _ := tiercache.New("users", backendtest.NewMap[User](), backendtest.NewMap[User](),
		tiercache.WithNegativeTTL(time.Minute))

	loads := 0
	load := func(context.Context, string) (User, error) {
		loads++
		return User{}, backends.ErrNotFound
	}
	for range 3 {
		_, err := users.GetOrLoad(ctx, "42", time.Hour, load)
		fmt.Println(errors.Is(err, backends.ErrNotFound), "loads:", loads)
	}
	_ = users.Set(ctx, "42", User{Name: "Ada"}, time.Hour)
	user, err := users.GetOrLoad(ctx, "42", time.Hour, load)
	fmt.Println(user.Name, err)
	// Output:
	// true loads: 1
	// true loads: 1
	// true loads: 1
	// Ada <nil>
}

// The entry has expired, and the database is down. For ten minutes, L1 helps out.
func ExampleWithStaleIfError() {
	ctx := context.Background()
	users, _ := tiercache.New("users", backendtest.NewMap[User](), backendtest.NewMap[User](),
		tiercache.WithStaleIfError(10*time.Minute))
	_ = users.Set(ctx, "42", User{Name: "Ada"}, time.Nanosecond) // over when Set returns

	_, ok, err := users.Get(ctx, "42")
	fmt.Println("Get:", ok, err)
	user, err := users.GetOrLoad(ctx, "42", time.Hour, func(context.Context, string) (User, error) {
		return User{}, errors.New("the database is down")
	})
	fmt.Println("GetOrLoad:", user.Name, err)
	// Output:
	// Get: false <nil>
	// GetOrLoad: Ada <nil>
}

// L1 keeps entries for a minute and L2 for an hour, so this process misses the writes
// of others for a minute at most.
func ExampleWithL1TTL() {
	ctx := context.Background()
	l1, l2 := backendtest.NewMap[User](), backendtest.NewMap[User]()
	users, _ := tiercache.New("users", l1, l2, tiercache.WithL1TTL(time.Minute, 0))
	_ = users.Set(ctx, "42", User{Name: "Ada"}, time.Hour)

	ttl := func(tier *backendtest.Map[User]) time.Duration {
		return time.Until(tier.Snapshot()["42"].ExpiresAt).Round(time.Minute)
	}
	fmt.Println("in L1 for", ttl(l1))
	fmt.Println("in L2 for", ttl(l2))
	// Output:
	// in L1 for 1m0s
	// in L2 for 1h0m0s
}

// A cache over two tiers is the second tier of another one. An entry of the third tier
// is then in all of them.
func ExampleCache_AsBackend() {
	ctx := context.Background()
	memory, redis, disk := backendtest.NewMap[User](), backendtest.NewMap[User](), backendtest.NewMap[User]()
	shared, _ := tiercache.New("users_shared", redis, disk)
	users, _ := tiercache.New("users", memory, shared.AsBackend())

	_ = disk.Set(ctx, "42", backends.Entry[User]{Value: User{Name: "Ada"}})
	user, ok, err := users.Get(ctx, "42")
	fmt.Println(user.Name, ok, err)
	for _, tier := range []*backendtest.Map[User]{memory, redis, disk} {
		fmt.Println(tier.Snapshot()["42"].Value)
	}

	_ = users.Delete(ctx, "42") // goes through all of them, too
	fmt.Println(len(memory.Snapshot()), len(redis.Snapshot()), len(disk.Snapshot()))
	// Output:
	// Ada true <nil>
	// {Ada}
	// {Ada}
	// {Ada}
	// 0 0 0
}

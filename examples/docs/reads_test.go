package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func withSourceVersion(l1, l2 backends.Backend[User]) (*tiercache.Cache[User], error) {
	users, err := tiercache.New("users", l1, l2,
		tiercache.WithSourceVersion(func(u User) uint64 { return u.Version }))
	return users, err
}

func conditional(ctx context.Context, users *tiercache.Cache[User]) error {
	won, stored, err := users.SetIfAbsent(ctx, "42", User{Name: "Ada"}, time.Hour)
	if err != nil {
		return err
	}
	user, err := users.Update(ctx, "42", time.Hour, func(old User, ok bool) (User, error) {
		old.Version++
		return old, nil
	})
	fmt.Println(won.Value.Name, stored, user.Version)
	return err
}

func batch(ctx context.Context, users *tiercache.Cache[User], byID map[string]User) error {
	err := users.SetMany(ctx, maps.All(byID), time.Hour)
	if failed, ok := errors.AsType[*tiercache.BatchError](err); ok {
		log.Print(failed) // says how many keys failed, and why
	}
	return err
}

func Example_conditional() {
	ctx := context.Background()
	l1, err1 := otterbackend.New[User]()
	store, err2 := badgerbackend.OpenInMemory()
	l2, err3 := backends.WithCodec(store, backends.JSON[User]())
	users, err4 := withSourceVersion(l1, l2)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = errors.Join(users.Close(ctx), store.Close(), l1.Close()) }()
	fmt.Println(conditional(ctx, users))
	fmt.Println(batch(ctx, users, map[string]User{"43": {Name: "Bob"}, "44": {Name: "Eve"}}))
	// Output:
	// Ada true 1
	// <nil>
	// <nil>
}

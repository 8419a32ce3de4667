// Package docs_test is the code that the pages in docs show. TestCode holds the two
// together.
package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

type User struct {
	Name    string
	Version uint64
}

func run(ctx context.Context, dir string) error {
	l1, err := otterbackend.New[User](otterbackend.WithMaximumSize(100_000))
	if err != nil {
		return err
	}
	defer l1.Close()

	store, err := badgerbackend.Open(dir)
	if err != nil {
		return err
	}
	defer store.Close()
	l2, err := backends.WithCodec(store, backends.JSON[User]())
	if err != nil {
		return err
	}

	users, err := tiercache.New("users", l1, l2,
		tiercache.WithInconsistencyHook(func(ctx context.Context, i tiercache.Inconsistency) {
			log.Print(i) // or queue i.Key for repair
		}))
	if err != nil {
		return err
	}
	defer users.Close(context.WithoutCancel(ctx)) // waits for writes that still run

	err = users.Set(ctx, "42", User{Name: "Ada"}, time.Hour)
	if errors.Is(err, tiercache.ErrInconsistent) {
		log.Print(err) // L1 and L2 may differ: it says what became of each
	}

	user, err := users.GetOrLoad(ctx, "43", time.Hour, func(ctx context.Context, _ string) (User, error) {
		return User{Name: "Grace"}, nil // ask the database; backends.ErrNotFound if there is none
	})
	fmt.Println(user.Name, err)
	return err
}

func Example() {
	dir, err := os.MkdirTemp("", "tiercache")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := run(context.Background(), dir); err != nil {
		fmt.Println(err)
	}
	// Output: Grace <nil>
}

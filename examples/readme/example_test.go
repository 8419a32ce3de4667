// Package readme_test is the code that README.md shows. TestREADME holds the two
// together.
package readme_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

type User struct {
	ID, Name string
	Version  uint64
}

// database is the source of users.
type database struct{}

func (database) Find(_ context.Context, _, id string) (User, error) {
	return User{ID: id, Name: "Ada", Version: 1}, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// report is the hook of the cache: it could queue i.Key for a repair.
func report(_ context.Context, i tiercache.Inconsistency) { fmt.Println(i) }

func run(ctx context.Context, addr string, db database) (User, error) {
	client := redis.NewClient(&redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1, // the defaults wait too long for a cache
		DialTimeout: 500 * time.Millisecond, PoolTimeout: 300 * time.Millisecond,
		ReadTimeout: 300 * time.Millisecond, WriteTimeout: 300 * time.Millisecond,
	})
	l1 := must(otterbackend.New[User](otterbackend.WithMaximumSize(100_000)))
	store := must(redisbackend.New(client, redisbackend.WithKeyPrefix("users:")))
	l2 := must(backends.WithCodec(store, backends.JSON[User]()))
	users := must(tiercache.New("users", l1, l2, tiercache.WithInconsistencyHook(report)))
	defer users.Close(context.WithoutCancel(ctx)) // waits for writes that still run

	user, err := users.GetOrLoad(ctx, "42", time.Hour, func(ctx context.Context, id string) (User, error) {
		return db.Find(ctx, "users", id) // an error that wraps backends.ErrNotFound if there is none
	})
	return user, err
}

// Nothing listens on port 1: the caller gets the user all the same, and the hook is told.
func Example() {
	user, err := run(context.Background(), "127.0.0.1:1", database{})
	fmt.Println(user.Name, err)
	// Output:
	// set users: l1 applied, l2 failed: the tiers may differ: l2 may be stale
	// Ada <nil>
}

// written tells the cache what the database has committed.
func written(ctx context.Context, users *tiercache.Cache[User], row, gone User) error {
	ctx = context.WithoutCancel(ctx)                          // also if the client has left
	err1 := users.Set(ctx, row.ID, row, time.Hour)            // a row that was committed; an older one is ignored
	err2 := users.DeleteVersion(ctx, gone.ID, gone.Version+1) // a row that was deleted
	return errors.Join(err1, err2)
}

// The news of two commits come in the wrong order: the newer row stays, and a row that was
// deleted does not come back.
func Example_afterWrite() {
	ctx, leave := context.WithCancel(context.Background())
	l1 := must(otterbackend.New[User]())
	defer l1.Close()
	store := must(badgerbackend.OpenInMemory())
	defer store.Close()
	l2 := must(backends.WithCodec(store, backends.JSON[User]()))
	users := must(tiercache.New("users", l1, l2,
		tiercache.WithSourceVersion(func(u User) uint64 { return u.Version })))
	defer users.Close(context.Background())

	leave() // the client
	gone := User{ID: "43", Name: "Bob", Version: 5}
	fmt.Println(written(ctx, users, User{ID: "42", Name: "Grace", Version: 2}, gone))
	fmt.Println(written(ctx, users, User{ID: "42", Name: "Ada", Version: 1}, gone))
	ctx = context.Background() // of another request
	fmt.Println(users.Set(ctx, gone.ID, gone, time.Hour))
	user, _, err := users.Get(ctx, "42")
	fmt.Println(user.Name, err)
	_, ok, err := users.Get(ctx, gone.ID)
	fmt.Println(ok, err)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// Grace <nil>
	// false <nil>
}

func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	blocks := strings.Split(string(readme), "```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		require.Contains(t, lines(string(source)), lines(block), "the README's Go must be code that is tested here")
	}
}

// lines returns code without indentation, empty lines, and lines that are comments.
func lines(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

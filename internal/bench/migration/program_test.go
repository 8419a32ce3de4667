package migration_test

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

type User struct{ Name string }

// database is the source of users.
type database struct{}

func (database) User(_ context.Context, id string) (User, error) {
	if id != "42" {
		return User{}, sql.ErrNoRows
	}
	return User{Name: "Ada"}, nil
}

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

func after(ctx context.Context, client *redis.Client, db database) (User, error) {
	l1, err := otterbackend.New[User](otterbackend.WithMaximumSize(100_000))
	if err != nil {
		return User{}, err
	}
	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("tc:users:"))
	if err != nil {
		return User{}, err
	}
	l2, err := backends.WithCodec(store, backends.JSON[User]())
	if err != nil {
		return User{}, err
	}
	users, err := tiercache.New("users", l1, l2,
		tiercache.WithL1TTL(time.Minute, 0.1), // as the local cache had it
		tiercache.WithNotFound(noRows), tiercache.WithNegativeTTL(time.Minute))
	if err != nil {
		return User{}, err
	}
	defer users.Close(context.WithoutCancel(ctx))

	user, err := users.GetOrLoad(ctx, "42", time.Hour, db.User)
	return user, err
}

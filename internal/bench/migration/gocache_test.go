package migration_test

import (
	"context"
	"time"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"
)

func beforeGocache(ctx context.Context, ristrettoStore, redisStore store.StoreInterface, db database) (any, error) {
	chain := cache.NewChain[any](cache.New[any](ristrettoStore), cache.New[any](redisStore))
	users := cache.NewLoadable[any](func(ctx context.Context, key any) (any, []store.Option, error) {
		user, err := db.User(ctx, key.(string))
		return user, []store.Option{store.WithExpiration(time.Hour)}, err
	}, chain)
	defer func() { _ = users.Close() }()

	user, err := users.Get(ctx, "42")
	return user, err
}

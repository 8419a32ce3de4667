package driver

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// l1 returns the L1 of the Config, or an otter cache, and a function that closes it.
func (c Config) l1() (l1 backends.Backend[[]byte], closeL1 func(), err error) {
	if c.L1 != nil {
		return c.L1, nothing, nil
	}
	otter, err := otterbackend.New[[]byte](otterbackend.WithMaximumSize(c.L1Size))
	if err != nil {
		return nil, nil, err
	}
	return otter, func() { _ = otter.Close() }, nil
}

// local is an L1 as jetcache-go and go-redis/cache want it: without contexts,
// without errors, and with a TTL that is its own. An error of a write cannot be
// told to the library; one of a read is a miss.
type local struct {
	tier backends.Backend[[]byte]
	ttl  time.Duration
}

func (l local) Set(key string, data []byte) {
	_ = l.tier.Set(context.Background(), key, entryOf(data, l.ttl))
}

func (l local) Get(key string) ([]byte, bool) {
	entry, ok, err := l.tier.Get(context.Background(), key)
	return entry.Value, ok && err == nil
}

func (l local) Del(key string) { _ = l.tier.Delete(context.Background(), key) }

// entryOf returns the entry of a value with a TTL, or without one if ttl is not
// positive.
func entryOf(value []byte, ttl time.Duration) backends.Entry[[]byte] {
	entry := backends.Entry[[]byte]{Value: value}
	if ttl > 0 {
		entry.ExpiresAt = time.Now().Add(ttl)
	}
	return entry
}

// remaining returns the remaining TTL of an entry, 0 for one that does not expire.
func remaining(entry backends.Entry[[]byte]) time.Duration {
	if entry.ExpiresAt.IsZero() {
		return 0
	}
	return time.Until(entry.ExpiresAt)
}

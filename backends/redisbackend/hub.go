package redisbackend

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

type hub struct{}

func (*hub) init(*Backend, func(ctx context.Context, key string) (*redis.Conn, error)) {}

// Watch .
func (b *Backend) Watch(context.Context, backends.Sink) error {
	return backends.Unsupported("watch")
}

// Seen .
func (b *Backend) Seen(key string) backends.Version {
	if b.log == nil {
		return 0
	}
	return backends.Version(partitionOf(b.log.partitions, key).seen.Load())
}

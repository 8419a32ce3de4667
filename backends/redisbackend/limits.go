package redisbackend

import "github.com/tiercache/tiercache/internal/redislog"

const (
	// MaxKeySize is the greatest length of a key in bytes, prefix included. It is the
	// limit of Redis.
	MaxKeySize = redislog.MaxKeySize

	// MaxValueSize is the greatest length of a value in bytes, header included. It is
	// the limit of Redis unless its proto-max-bulk-len is changed.
	MaxValueSize = redislog.MaxValueSize
)

// storable reports whether the server can have an entry at key.
func (b *Backend) storable(key string) bool { return b.limits.CheckKey(key) == nil }

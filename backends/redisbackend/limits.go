package redisbackend

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/header"
)

const (
	// MaxKeySize is the greatest length of a key in bytes, prefix included. It is the
	// limit of Redis.
	MaxKeySize = 512 << 20

	// MaxValueSize is the greatest length of a value in bytes, header included. It is
	// the limit of Redis unless its proto-max-bulk-len is changed.
	MaxValueSize = 512 << 20

	maxPrefixSize = 1 << 10

	// maxSpaceSize is the most that a log adds to the prefix of keys.
	maxSpaceSize = len(spaceVersion) + len("{1023/1024}:")

	// maxHeaderSize is the size of a header with the longest note.
	maxHeaderSize = header.Size + 1 + backends.MaxNoteSize
)

// storable reports whether the server can have an entry at key.
func (b *Backend) storable(key string) bool { return b.checkKey(key) == nil }

func (b *Backend) checkKey(key string) error {
	size := len(b.prefix) + len(key)
	if b.log != nil {
		size += maxSpaceSize
	}
	switch {
	case key == "":
		return backends.ErrEmptyKey
	case size > MaxKeySize:
		return &backends.TooLargeError{
			What: "key", Size: int64(size), Max: MaxKeySize,
			Advice: "use a shorter one, for instance a hash of it",
		}
	default:
		return nil
	}
}

func (b *Backend) checkValue(value []byte) error {
	limit := MaxValueSize
	switch {
	case b.log != nil:
		limit -= maxHeaderSize
	case !b.raw:
		limit -= header.Size
	}
	if len(value) > limit {
		return &backends.TooLargeError{
			What: "value", Size: int64(len(value)), Max: int64(limit),
			Advice: "do not cache it, or split it",
		}
	}
	return nil
}

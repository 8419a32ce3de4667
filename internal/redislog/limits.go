package redislog

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

	// MaxPrefixSize is the greatest length of the prefix of keys.
	MaxPrefixSize = 1 << 10

	// maxHeaderSize is the size of a header with the longest note.
	maxHeaderSize = header.Size + 1 + backends.MaxNoteSize
)

// Limits check keys and values.
type Limits struct {
	Prefix int  // the length of the prefix of keys
	Raw    bool // values have no header
	Log    bool // values have versions
}

// CheckKey returns [backends.ErrEmptyKey], a [*backends.TooLargeError], or nil.
func (l Limits) CheckKey(key string) error {
	size := l.Prefix + len(key)
	if l.Log {
		size += MaxSpaceSize
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

// CheckValue returns a [*backends.TooLargeError], or nil.
func (l Limits) CheckValue(value []byte) error {
	limit := MaxValueSize
	switch {
	case l.Log:
		limit -= maxHeaderSize
	case !l.Raw:
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

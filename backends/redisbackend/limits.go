package redisbackend

const (
	// MaxKeySize is the greatest length of a key in bytes, prefix included:
	// what Redis takes.
	MaxKeySize = 512 << 20

	// MaxValueSize is the greatest length of a value in bytes, header included:
	// what Redis takes unless its proto-max-bulk-len is changed.
	MaxValueSize = 512 << 20

	maxPrefixSize = 1 << 10
)

// storable reports whether the server can have an entry at key.
func (b *Backend) storable(key string) bool { return b.checkKey(key) == nil }

func (b *Backend) checkKey(key string) error {
	switch size := len(b.prefix) + len(key); {
	case key == "":
		return ErrEmptyKey
	case size > MaxKeySize:
		return &TooLargeError{What: "key", Size: size, Max: MaxKeySize}
	default:
		return nil
	}
}

func (b *Backend) checkValue(value []byte) error {
	limit := MaxValueSize
	if !b.raw {
		limit -= headerSize
	}
	if len(value) > limit {
		return &TooLargeError{What: "value", Size: len(value), Max: limit}
	}
	return nil
}

package badgerbackend

import (
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Parts of the errors, for tests.
var (
	WriteError = writeError
	ReadError  = readError
)

// WithFreeSpace replaces the system's answer.
func WithFreeSpace(freeSpace func(dir string) (uint64, error)) Option {
	return optionFunc(func(c config) config {
		c.freeSpace = freeSpace
		return c
	})
}

// FreeSpace is the system's answer.
var FreeSpace = freeSpace

// Decode returns the expiry, the version and the value of stored bytes.
func Decode(data []byte) (expiresAt int64, version backends.Version, value []byte, err error) {
	r, err := decode(data)
	return r.header.ExpiresAt, r.header.Version, r.value, err
}

// LockKey locks key as a write with that deadline does, and returns the function that
// unlocks it.
func (b *Backend) LockKey(key string, before time.Time) (unlock func()) {
	w := &backends.Write[[]byte]{Key: key, Before: before}
	stored, _ := b.storedKey(key)
	return b.order.lock([]change{{write: w, stored: stored}})
}

// Orders returns the number of stores that are in use.
func Orders() int {
	orders.mu.Lock()
	defer orders.mu.Unlock()
	return len(orders.of)
}

// Reserved is the number of versions that are reserved at a time.
const Reserved = reserved

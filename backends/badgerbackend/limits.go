package badgerbackend

import (
	"errors"
	"sort"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
)

// MaxKeySize is the greatest length of a key in bytes, its prefix included. One
// that begins with "!" must be one byte shorter, see the package's doc.
const MaxKeySize = 65_000

// storedKey returns the key as it is stored. It returns false when badger cannot
// have an entry there.
func (b *Backend) storedKey(key string) (stored []byte, ok bool) {
	first := b.prefix
	if first == "" {
		first = key
	}
	stored = make([]byte, 0, 1+len(b.prefix)+len(key))
	if strings.HasPrefix(first, "!") {
		stored = append(stored, '!')
	}
	stored = append(stored, b.prefix...)
	stored = append(stored, key...)
	return stored, key != "" && len(stored) <= MaxKeySize
}

// limits are badger's limits of one write, checked before anything is touched. Badger's
// own check comes late and quotes the key that it refuses.
type limits struct {
	value     int64 // greatest length of a stored value
	advice    string
	threshold int64 // values of this length go to the value log
	batch     int64 // what a transaction must stay below
}

func newLimits(db *badger.DB) limits {
	opts := db.Opts()
	l := limits{
		value:     opts.ValueLogFileSize,
		advice:    "do not cache it, split it, or raise badger's ValueLogFileSize",
		threshold: opts.ValueThreshold,
		batch:     db.MaxBatchSize(),
	}
	if opts.InMemory {
		l.value = inMemoryMax(db)
		l.advice = "do not cache it, split it, or keep the store on disk"
	}
	return l
}

// inMemoryMax returns the greatest length of a value in a store in memory. It must be
// below the ValueThreshold that the store was opened with: badger takes one of just
// that length, and then crashes for want of a value log. Its options do not contain the
// threshold any more, so transactions that are never committed probe it.
func inMemoryMax(db *badger.DB) int64 {
	const greatestThreshold = 1 << 20
	value := make([]byte, greatestThreshold+1)
	tooLarge := sort.Search(len(value), func(size int) bool {
		txn := db.NewTransaction(true)
		defer txn.Discard()
		err := txn.Set([]byte("k"), value[:size])
		return err != nil && !errors.Is(err, badger.ErrTxnTooBig)
	})
	return int64(tooLarge) - 2
}

// check returns why a value and its header, of the given lengths, cannot be stored at
// the key that is stored, or nil.
func (l limits) check(key []byte, value, header int) error {
	if len(key) > MaxKeySize {
		return &backends.TooLargeError{What: "key", Size: int64(len(key)), Max: MaxKeySize, Advice: "use a shorter one, for instance a hash of it"}
	}
	stored := int64(value) + int64(header)
	if stored > l.value {
		return &backends.TooLargeError{What: "value", Size: int64(value), Max: l.value - int64(header), Advice: l.advice}
	}

	// Badger adds up a transaction twice, more generously the first time. This
	// is the second: the timestamp of the key, two bytes of metadata, and the
	// entry that ends the transaction, of 41 bytes at most. Of a value in the
	// value log it counts the pointer.
	const pointer, overhead = 12, 8 + 2 + 41
	inTables := stored
	if stored >= l.threshold {
		inTables = pointer
	}
	if size := int64(len(key)) + inTables + overhead; size >= l.batch {
		return &backends.TooLargeError{
			What: "entry", Size: size, Max: l.batch - 1,
			Advice: "do not cache it, split it, or raise badger's MemTableSize",
		}
	}
	return nil
}

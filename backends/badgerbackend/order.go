package badgerbackend

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
)

// counterKey has the first version that was not reserved yet. No entry has such a key:
// see storedKey.
var counterKey = []byte("!tiercache:version")

// reserved is how many versions are reserved at a time: a store that ends without
// notice loses the rest of them.
const reserved = 10_000

// order is the order of all changes of one badger store. It gives versions, and locks
// the keys that are being written, so that the versions of a key rise. Badger's own
// transactions would do for the locks, but not in a store that was opened without
// DetectConflicts.
type order struct {
	db    *badger.DB
	users int // guarded by orders.mu

	seed    maphash.Seed
	stripes [512]stripe

	mu        sync.Mutex
	next, end uint64 // these versions are reserved, without end
}

// stripe is the lock of the keys with one hash.
type stripe struct {
	mu sync.Mutex

	// before is the deadline of the write that holds mu, in Unix time in nanoseconds;
	// 0: none. Readers wait for a write that has begun in time and whose deadline
	// has passed: it must not happen after they have not seen it.
	before atomic.Int64
}

// orders has the order of each store of this process that is in use: all Backends over
// one store must share it. A store belongs to one process at a time.
var orders = struct {
	mu sync.Mutex
	of map[*badger.DB]*order
}{of: make(map[*badger.DB]*order)}

func acquireOrder(db *badger.DB) *order {
	orders.mu.Lock()
	defer orders.mu.Unlock()
	o := orders.of[db]
	if o == nil {
		o = &order{db: db, seed: maphash.MakeSeed()}
		orders.of[db] = o
	}
	o.users++
	return o
}

func (o *order) release() {
	orders.mu.Lock()
	defer orders.mu.Unlock()
	o.users--
	if o.users == 0 {
		delete(orders.of, o.db)
	}
}

// version returns a version that is greater than all before, those of earlier runs
// included.
func (o *order) version() (backends.Version, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next == o.end {
		if err := o.reserve(); err != nil {
			return 0, err
		}
	}
	v := backends.Version(o.next)
	o.next++
	return v, nil
}

// reserve reserves versions. They are on the disk before one of them is used.
func (o *order) reserve() error {
	first := max(o.end, uint64(backends.MakeVersion(eraNow(), 1)))
	err := o.db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(counterKey)
		switch {
		case errors.Is(err, badger.ErrKeyNotFound):
		case err != nil:
			return err
		default:
			data, err := item.ValueCopy(nil)
			if err != nil {
				return err
			}
			if len(data) == 8 {
				first = max(o.end, binary.BigEndian.Uint64(data))
			}
		}
		return txn.Set(counterKey, binary.BigEndian.AppendUint64(nil, first+reserved))
	})
	if err != nil {
		return err
	}
	if err := o.db.Sync(); err != nil {
		return err
	}
	o.next, o.end = first, first+reserved
	return nil
}

// eraNow returns the era of a store that begins now: the seconds since 2020.
func eraNow() uint32 {
	seconds := time.Since(time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)) / time.Second
	return uint32(min(max(1, seconds), backends.MaxEra)) //nolint:gosec // within the limits
}

// lock locks the keys of changes, and returns the function that unlocks them. All calls
// lock in the same order.
func (o *order) lock(changes []change) (unlock func()) {
	numbers := make([]int, len(changes))
	for i, c := range changes {
		numbers[i] = o.number(c.stored)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for _, n := range numbers {
		o.stripes[n].mu.Lock()
	}
	for _, c := range changes {
		if !c.write.Before.IsZero() {
			o.stripes[o.number(c.stored)].mustEndBy(c.write.Before.UnixNano())
		}
	}
	return func() {
		for _, n := range numbers {
			o.stripes[n].before.Store(0)
			o.stripes[n].mu.Unlock()
		}
	}
}

// mustEndBy notes a deadline. The caller has locked mu.
func (s *stripe) mustEndBy(before int64) {
	if first := s.before.Load(); first == 0 || before < first {
		s.before.Store(before)
	}
}

// await waits for a write of the key whose deadline has passed.
func (o *order) await(stored []byte) {
	s := &o.stripes[o.number(stored)]
	if before := s.before.Load(); before != 0 && before < time.Now().UnixNano() {
		s.mu.Lock()
		defer s.mu.Unlock() // to have waited is enough
	}
}

func (o *order) number(stored []byte) int {
	return int(maphash.Bytes(o.seed, stored) % uint64(len(o.stripes))) //nolint:gosec // less than their number
}

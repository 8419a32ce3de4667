package coherence

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
)

// Machine is the trust that one cache has in its L1. Use [New]. It is safe for
// concurrent use.
type Machine struct {
	bound    time.Duration
	begun    time.Time // the instant that synced counts from
	locks    *keylock.Table
	target   Target
	observer Observer
	identity identity

	// Read by every hit: synced first, then epoch. A loss resets both, so that a hit
	// that has read synced before a loss, and epoch after it, trusts nothing.
	synced atomic.Int64  // nanoseconds since begun, or never
	epoch  atomic.Uint32 // of the entries that may be trusted; 0: none may
	unique atomic.Uint32 // the first epoch since which no version was given twice
	last   atomic.Uint32 // the number of the latest epoch, in use or not

	// Of the change that is being applied, and of those before it.
	lock     keylock.Lock
	outcomes []Outcome

	mu sync.Mutex // guards what follows, and the changes of synced and epoch
	state
	timer  *time.Timer // of the next lapse
	closed bool
	events events
}

var _ backends.Sink = (*Machine)(nil)

// never is the value of synced while nothing is known. Now minus never does not
// overflow.
const never = math.MinInt64 / 2

// Target is the cache whose L1 is trusted, or not. Its methods may be called from any
// goroutine, and must not call the machine.
type Target interface {
	Copies
	Memory
}

// Copies are the entries of L1.
type Copies interface {
	// Stamp returns the stamp of L1's entry at key. Ok is false if there is none.
	Stamp(key string) (stamp backends.Stamp, ok bool, err error)

	// Drop removes L1's entry at key, also one that has expired. On an error the entry
	// may still be there.
	Drop(key string) error
}

// Memory is everything else that the cache remembers.
type Memory interface {
	// Forget removes what the cache remembers about key and shares among its callers:
	// that there is no value, and loads under way, which nobody may join any
	// more. The fences of key are broken already. It must not block.
	Forget(key string)

	// ForgetAll is Forget for all keys. It must not block.
	ForgetAll()
}

// New returns the machine of a cache, which trusts nothing yet. A hit is trusted for
// bound since the last instant up to which no change was missed. Locks are those of the
// cache's keys.
func New(bound time.Duration, locks *keylock.Table, target Target, observer Observer) *Machine {
	m := &Machine{
		bound: bound, begun: time.Now(), locks: locks, target: target, observer: observer,
		identity: newIdentity(),
		state:    state{cause: causeJoining, first: firstEpoch()},
	}
	m.since = m.begun
	m.unique.Store(m.first)
	m.last.Store(m.first)
	m.synced.Store(never)
	m.timer = time.AfterFunc(bound+1, m.lapse)
	return m
}

// firstEpoch is drawn at random, so that an L1 which has served another cache before has no
// entry of one of this machine's epochs.
func firstEpoch() uint32 { return 1 + rand.Uint32N(1<<31) } //nolint:gosec // it is no secret

// Trusted returns the epoch whose entries are as fresh as the bound says, and 0 if there
// is none. It must be called before L1 is asked:
//
//	t1  nothing was synced for long; L1 has an old entry, and is asked
//	t2  the change is told and drops the entry, and everything is in sync again
//	t3  Trusted would vouch for the entry of t1
func (m *Machine) Trusted() uint32 {
	synced := m.synced.Load()
	if int64(time.Since(m.begun))-synced > int64(m.bound) {
		return 0
	}
	return m.epoch.Load()
}

// Epoch returns the epoch for the stamps of entries that are read from L2, or written to
// it, from now on. It is 0 while the reader of the store may not follow it: such entries
// are never fresh. It must be called before L2 is.
func (m *Machine) Epoch() uint32 { return m.epoch.Load() }

// Have returns the version for a conditional get of an entry with the stamp, and 0 where
// an equal version would prove nothing: a server that has lost the end of its log gives
// the same versions again, to other changes. Nor is anything known of a stamp that another
// machine has given.
func (m *Machine) Have(stamp *backends.Stamp) backends.Version {
	if stamp.Epoch < m.unique.Load() || stamp.Epoch > m.last.Load() {
		return 0
	}
	return stamp.Version
}

// Fresh reports whether an entry with the stamp may be returned as it is. Epoch is what
// [Machine.Trusted] returned before L1 was asked.
func Fresh(stamp *backends.Stamp, epoch uint32) bool {
	return stamp.Epoch == epoch && epoch != 0 && stamp.Version != 0
}

// Suspect says why an entry is not fresh.
type Suspect uint8

// The reasons.
const (
	NotSuspect  Suspect = iota
	Untrusted           // nothing is trusted now
	OldEpoch            // the entry has not been compared with L2 since the last loss
	Unversioned         // L2 has not said which version the entry is
)

// Judge is Fresh, and says why not.
func Judge(stamp *backends.Stamp, epoch uint32) Suspect {
	switch {
	case Fresh(stamp, epoch):
		return NotSuspect
	case epoch == 0:
		return Untrusted
	case stamp.Version == 0:
		return Unversioned
	default:
		return OldEpoch
	}
}

// now returns the time since m has begun.
func (m *Machine) now() int64 { return int64(time.Since(m.begun)) }

package coherence

import (
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
)

// Outcome is the effect of a change, told by the store, on this cache.
type Outcome uint8

// The outcomes.
const (
	Dropped Outcome = iota // L1 dropped its entry, which the change has replaced
	Absent                 // L1 had no entry
	Newer                  // L1 has, or a write of this cache makes, something newer
	Own                    // this cache made the change, or knows it already

	// The holder of the key's lock decides, and counts. With the second one, L1 has
	// dropped what was there before.
	pending
	pendingDropped
)

// Outcomes is the number of outcomes that are counted.
const Outcomes = int(pending)

// String returns the outcome's name in telemetry.
func (o Outcome) String() string {
	return [...]string{"dropped", "absent", "newer", "own", "pending", "pending"}[o]
}

// Batch is the changes that one call of the store's reader has told.
type Batch struct {
	Began    time.Time
	Changes  []backends.Change
	Outcomes []Outcome // one for each change
}

// Dropped reports whether L1 has dropped an entry because of change i.
func (b *Batch) Dropped(i int) bool {
	return b.Outcomes[i] == Dropped || b.Outcomes[i] == pendingDropped
}

// unversioned stands for the version of a change that has none: nothing covers it.
const unversioned = ^backends.Version(0)

// Changed implements [backends.Sink]. If a foreign function ends the goroutine, nobody
// knows which of the changes were applied.
func (m *Machine) Changed(changes []backends.Change) {
	if m.isClosed() {
		return
	}
	b := Batch{Began: time.Now(), Changes: changes, Outcomes: m.outcomes[:0]}
	applied := false
	defer func() {
		if !applied {
			m.Fail()
		}
	}()
	for i := range changes {
		b.Outcomes = append(b.Outcomes, m.apply(&changes[i]))
	}
	applied = true
	m.outcomes = b.Outcomes
	m.observer.Processed(&b)
}

// apply makes the change known to the cache. It never waits for another operation of the
// key: the one that holds the lock compares the version when it ends. Its entry is not
// fresh until then, because only [Machine.Store] stores entries that are.
//
//	t1  a write of this cache has the lock, and stores in L1 what has no version yet
//	t2  the change of another process is told, and left with the write
//	t3  L2 answers: the write's version is older than the change's, so L1 drops its value
//
// An entry that was there before t1 is dropped at once, since the write may take long.
func (m *Machine) apply(c *backends.Change) Outcome {
	version := c.Version
	if version == 0 {
		version = unversioned
	}
	own := m.identity.made(c.Operation)
	told := m.locks.Tell(&m.lock, c.Key, version, own)
	if told == keylock.ToldNobody {
		defer m.lock.Unlock()
	}
	m.target.Forget(c.Key)
	outcome := pending
	if told != keylock.ToldStoring {
		outcome = m.drop(c.Key, version, told == keylock.ToldHolder)
	}
	switch {
	case own && outcome != Dropped:
		return Own
	case own || told != keylock.ToldHolder:
		return outcome
	case outcome == Dropped:
		return pendingDropped
	default:
		return pending
	}
}

// drop removes L1's entry unless its version covers the given one. Held says that a
// holder of the key's lock was told: what it has stored without a version, it deals
// with itself.
func (m *Machine) drop(key string, version backends.Version, held bool) Outcome {
	stamp, ok, err := m.target.Stamp(key)
	switch {
	case err != nil: // it may have one
	case !ok:
		return Absent
	case stamp.Version == version:
		return Own
	case stamp.Version.Covers(version):
		return Newer
	case held && stamp.Version == 0:
		return pending
	}
	if m.target.Drop(key) != nil {
		m.Fail()
	}
	return Dropped
}

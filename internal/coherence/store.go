package coherence

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/keylock"
)

// Holder holds the lock of a key, and stores something in L1.
type Holder interface {
	// Store stores the entry with its stamp. It is called once at most.
	Store() error

	// Drop removes L1's entry of the key.
	Drop() error
}

// Store lets the holder of l store an entry that has a version, which may be fresh from
// then on, unless a change that the version does not cover was told since the lock was
// acquired; then L1's entry is dropped. A version of 0 stores nothing: the holder has
// none, and merely drops L1's entry if another process has changed the key.
//
// Kept reports that the entry was stored and is still there. The holder must not touch
// L1 afterwards. An error is one of the holder's.
//
// The change that is told while the holder stores must not be lost on it:
//
//	t1  the holder was told of nothing, and stores
//	t2  the change is told: L1 does not have the old entry yet
//	t3  L1 has it
//
// So the holder looks again at the end, and meanwhile nothing counts as in sync.
func (m *Machine) Store(l *keylock.Lock, version backends.Version, h Holder) (kept bool, err error) {
	ended := false
	defer func() {
		if !ended {
			m.exited(l)
		}
	}()
	told, foreign := l.BeginStore()
	for first := true; first || told != 0; first = false {
		switch {
		case told != 0 && !version.Covers(told):
			kept, err = false, m.dropEntry(h)
			m.count(Dropped, foreign)
		case first && version != 0:
			err = h.Store()
			kept = err == nil
			m.count(Newer, foreign)
		default:
			m.count(Newer, foreign)
		}
		told, foreign = l.EndStore(m.locks)
	}
	ended = true
	return kept, err
}

// dropEntry removes L1's entry. If that fails, nothing of L1 is trusted.
func (m *Machine) dropEntry(h Holder) error {
	err := h.Drop()
	if err != nil {
		m.Fail()
	}
	return err
}

// exited ends the storing of a holder whose goroutine was ended by foreign code. Nothing
// is trusted then, so there is nothing to drop.
func (m *Machine) exited(l *keylock.Lock) {
	m.Fail()
	for told := backends.Version(1); told != 0; {
		told, _ = l.EndStore(m.locks)
	}
}

// count counts changes that were left with a holder: the last of them decides.
func (m *Machine) count(outcome Outcome, n int) {
	if n == 0 {
		return
	}
	if outcome == Dropped && n > 1 {
		m.observer.Counted(Absent, n-1)
		n = 1
	}
	m.observer.Counted(outcome, n)
}

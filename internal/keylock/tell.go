package keylock

import "github.com/tiercache/tiercache/backends"

// phase is how far the holder of a lock is with storing what it has.
type phase uint8

const (
	phaseOpen    phase = iota // it will call BeginStore
	phaseStoring              // between BeginStore and the last EndStore
	phaseStored               // it stores nothing any more
)

// news is the changes of a key in other processes that its lock's holder was told of.
// It is guarded by bucket.mu.
type news struct {
	version   backends.Version // of the last change
	foreign   int              // changes that nobody has counted
	phase     phase
	unsettled int64 // changes told while storing, and not dealt with
}

// Told is the way in which [Table.Tell] passed the news of a change on.
type Told uint8

// The ways.
const (
	// ToldNobody says that the key was free: the caller has the lock now.
	ToldNobody Told = iota

	// ToldHolder says that the holder of the lock knows the version, and compares it
	// with its own when it ends. Until then L1 may hold what was there before.
	ToldHolder

	// ToldStoring says that the holder is just storing something in L1, and compares
	// the version right after that. [Table.Unsettled] counts the change until then.
	ToldStoring

	// ToldTooLate says that another operation has the lock, and is done with L1.
	ToldTooLate
)

// Tell passes on the news that key has version v now in the store behind the tiers. It
// breaks every fence of key and waits for nobody. Own says that somebody counts the
// change already; otherwise the holder that is told does.
//
// With ToldNobody the caller has the lock, as l, and must unlock it. After Close, Tell
// returns ToldTooLate.
func (tb *Table) Tell(l *Lock, key string, v backends.Version, own bool) Told {
	key = lockKey(key)
	b := tb.bucket(key)
	l.init(b, key)
	l.refill = true // or it would break fences that are raised from now on
	if b.sole.CompareAndSwap(nil, &l.self) {
		return ToldNobody
	}
	b.lock()
	defer b.unlock()
	e := b.entries[key]
	if e != nil {
		e.breakFences(nil)
	}
	if e != nil && e.holder != nil {
		l.reset()
		return e.holder.tell(tb, v, own)
	}
	if b.closed {
		if e != nil {
			b.tidy(e)
		}
		l.reset()
		return ToldTooLate
	}
	b.present++
	b.entry(key).add(l)
	return ToldNobody
}

// tell is called with the bucket locked.
func (l *Lock) tell(tb *Table, v backends.Version, own bool) Told {
	if l.news.phase == phaseStored {
		return ToldTooLate
	}
	l.news.version = v
	if !own {
		l.news.foreign++
	}
	if l.news.phase == phaseOpen {
		return ToldHolder
	}
	l.news.unsettled++
	tb.unsettled.Add(1)
	return ToldStoring
}

// Unsettled returns how many changes were told to holders that were storing something
// older, perhaps, and have not dealt with it yet. While it is not 0, L1 may hold what
// the changes have replaced.
func (tb *Table) Unsettled() int64 { return tb.unsettled.Load() }

// BeginStore is called by the holder before it stores in L1 what L2 has, under a
// version. It returns the version of the last change that the holder was told of, 0 if
// there was none: something older must not be stored. Foreign is how many changes the
// holder has to count.
func (l *Lock) BeginStore() (told backends.Version, foreign int) {
	l.bucket.lock()
	defer l.bucket.unlock()
	n := &l.news
	n.phase = phaseStoring
	told, foreign, n.version, n.foreign = n.version, n.foreign, 0, 0
	return told, foreign
}

// EndStore is called by the holder after it has stored, until told is 0: nothing was
// told since the last call, or since BeginStore, and the holder must not touch L1 any
// more. Otherwise whatever does not cover told must be dropped before EndStore is called
// again.
func (l *Lock) EndStore(tb *Table) (told backends.Version, foreign int) {
	l.bucket.lock()
	defer l.bucket.unlock()
	n := &l.news
	tb.unsettled.Add(-n.unsettled)
	told, foreign = n.version, n.foreign
	*n = news{phase: phaseStoring}
	if told == 0 {
		n.phase = phaseStored
	}
	return told, foreign
}

// BreakAll breaks every fence that is raised now.
func (tb *Table) BreakAll() {
	for i := range tb.buckets {
		b := &tb.buckets[i]
		if b.sole.Load() == nil {
			continue
		}
		b.lock()
		for _, e := range b.entries {
			e.breakFences(nil)
			b.tidy(e)
		}
		b.unlock()
	}
}

package backendtest

import (
	"slices"

	"github.com/tiercache/tiercache/backends"
)

// changeLog numbers the changes of a [Store] without holes.
type changeLog[V any] struct {
	server  int  // which one answers
	exists  bool // otherwise the next change begins one, of a new era
	era     uint32
	made    []made[V] // in this era; the place of the first is 1
	trimmed int       // how many of made no reader gets any more
}

// made is a change, and the item that it replaced.
type made[V any] struct {
	change  backends.Change
	before  item[V]
	existed bool
}

// begin makes the log if there is none.
func (l *changeLog[V]) begin() {
	if !l.exists {
		l.exists, l.era = true, l.era+1
	}
}

// remove deletes the log.
func (l *changeLog[V]) remove() { l.exists, l.made, l.trimmed = false, nil, 0 }

// append logs a change that replaces before, and returns its version.
func (l *changeLog[V]) append(change backends.Change, before item[V], existed bool) backends.Version {
	l.begin()
	change.Version = backends.MakeVersion(l.era, uint64(len(l.made)+1))
	l.made = append(l.made, made[V]{change, before, existed})
	return change.Version
}

// head is the place of the last change.
func (l *changeLog[V]) head() backends.Version {
	return backends.MakeVersion(l.era, uint64(len(l.made)))
}

// after returns copies of at most n changes after a place; n is negative for all.
func (l *changeLog[V]) after(at backends.Version, n int) (changes []backends.Change) {
	begin := min(int(at.Seq()), len(l.made)) //nolint:gosec // not above the number of changes ever made
	if n < 0 {
		n = len(l.made)
	}
	for _, m := range l.made[begin:min(begin+n, len(l.made))] {
		m.change.Note = slices.Clone(m.change.Note)
		changes = append(changes, m.change)
	}
	return changes
}

// ago returns the item that key had n changes ago if it has now.
func (l *changeLog[V]) ago(n int, key string, now item[V]) item[V] {
	for _, m := range slices.Backward(l.made[max(0, len(l.made)-n):]) {
		if m.change.Key == key {
			now = m.before
		}
	}
	return now
}

// gap says why a reader that stands at a place of the log of a server has missed
// changes, if it has.
func (l *changeLog[V]) gap(server int, at backends.Version) (cause backends.Loss, missed bool) {
	switch {
	case server != l.server:
		return backends.LossServerChanged, true
	case !l.exists || at.Era() != l.era:
		return backends.LossLogReplaced, true
	case at.Seq() < uint64(l.trimmed): //nolint:gosec // not negative
		return backends.LossTrimmed, true
	default:
		return 0, false
	}
}

// Log returns the changes that the log has, the oldest first.
func (s *Store[V]) Log() []backends.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.after(backends.MakeVersion(s.log.era, uint64(s.log.trimmed)), -1) //nolint:gosec // not negative
}

// Trim cuts the log down to the newest n changes. A reader that was not told of an
// older one finds [backends.LossTrimmed].
func (s *Store[V]) Trim(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.trimmed = max(s.log.trimmed, len(s.log.made)-n)
}

// Failover makes another server answer, which has everything that the former one had. With
// [Store.LoseTail], it is a server that lagged behind. Readers find [backends.LossServerChanged].
func (s *Store[V]) Failover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.server++
}

// LoseTail takes back the last n changes, in the log and at their keys; the next
// changes get the same versions again. A reader that was told of them finds
// [backends.LossBehind] at a heartbeat, unless the log has grown again by then: a real
// store does this only in a [Store.Failover].
func (s *Store[V]) LoseTail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := max(0, len(s.log.made)-n)
	for _, m := range slices.Backward(s.log.made[rest:]) {
		if m.existed {
			s.items[m.change.Key] = m.before
		} else {
			delete(s.items, m.change.Key)
		}
	}
	s.log.made = slices.Clip(s.log.made[:rest])
	s.log.trimmed = min(s.log.trimmed, rest)
}

// DeleteLog deletes the log and leaves the entries. The next change, or the next
// reader, begins a new era. Readers find [backends.LossLogReplaced].
func (s *Store[V]) DeleteLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.remove()
}

// Flush deletes the entries and the log.
func (s *Store[V]) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.items)
	s.log.remove()
}

package ledger

import (
	"cmp"
	"slices"
	"time"
)

// Status is the state of a [Ledger] at one instant.
type Status struct {
	Open    int // keys, which is the number of events
	Causes  [Causes]int
	Opened  [Causes]uint64
	Closed  [Resolutions]uint64
	Full    uint64    // events for which there was no room
	Oldest  time.Time // since when the key that is open the longest is; zero: none is open
	Entries []Entry   // at most as many as were asked for, the oldest first
}

// Status returns the state, with up to n entries.
func (l *Ledger) Status(n int) Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Status{Open: len(l.byKey), Causes: l.causes, Opened: l.opened, Closed: l.closed, Full: l.full}
	for _, e := range l.byKey {
		if s.Oldest.IsZero() || e.Since.Before(s.Oldest) {
			s.Oldest = e.Since
		}
	}
	for _, e := range l.oldest(n) {
		s.Entries = append(s.Entries, *e)
	}
	return s
}

// oldest returns the n entries that are open the longest, in this order. It is called locked,
// so it does not sort all of them: n is small.
func (l *Ledger) oldest(n int) (found []*Entry) {
	if n <= 0 {
		return nil
	}
	for _, e := range l.byKey {
		if len(found) == n && byAge(found[n-1], e) < 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(found, e, byAge)
		found = slices.Insert(found, at, e)
		found = found[:min(n, len(found))]
	}
	return found
}

// byAge compares entries by the time since when they are open, and then by their keys.
func byAge(a, b *Entry) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key)) }

// Balanced reports whether every event is either open or closed.
func (s *Status) Balanced() bool {
	return sum(s.Opened[:])-sum(s.Closed[:]) == uint64(s.Open) //nolint:gosec // not negative
}

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// Events returns how many events were opened and closed.
func (s *Status) Events() (opened, closed uint64) { return sum(s.Opened[:]), sum(s.Closed[:]) }

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
	if n <= 0 {
		return s
	}
	all := make([]*Entry, 0, len(l.byKey))
	for _, e := range l.byKey {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Key, b.Key)) })
	for _, e := range all[:min(n, len(all))] {
		s.Entries = append(s.Entries, *e)
	}
	return s
}

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

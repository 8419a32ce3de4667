package coherence

import (
	"fmt"
	"strings"
)

// String is era-seq, as in an id of the log.
func (v Version) String() string { return fmt.Sprintf("%d-%d", v.Era, v.Seq) }

// String shows a state beside its step in a counterexample.
func (s State) String() string {
	parts := []string{"L2 " + s.Servers[s.Pool].String()}
	for _, c := range s.Caches {
		if c != (Cache{}) {
			parts = append(parts, c.String())
		}
	}
	return strings.Join(parts, " | ")
}

// String shows the key and the log.
func (s Server) String() string {
	cell := "nothing"
	switch {
	case s.Cell.Tombstone:
		cell = fmt.Sprintf("tombstone w%d@%v", s.Cell.Write, s.Cell.Version)
	case s.Cell.Write > 0:
		cell = fmt.Sprintf("w%d@%v", s.Cell.Write, s.Cell.Version)
	}
	if !s.Log.Exists {
		return cell + ", no log"
	}
	return fmt.Sprintf("%s, log %d-%d..%d", cell, s.Log.Era, s.Log.First, s.Log.Last)
}

// String shows a cache, without the parts that are empty.
func (c Cache) String() string {
	var parts []string
	add := func(show bool, format string, args ...any) {
		if show {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(c.L1.Held, "L1 %v", c.L1)
	add(c.Negative.Held, "negative %v", c.Negative)
	add(c.Fill.Held, "fill %v", c.Fill.Entry)
	add(c.Own.Phase == Sent, "set under way")
	add(c.Own.Phase == Applied, "set applied @%v", c.Own.Version)
	add(c.Reader.Joined, "at %v", c.Reader.Position)
	add(c.Reader.Beat.Phase == Proves, "heartbeat %v", c.Reader.Beat.Head)
	add(c.Reader.Beat.Phase == Disproves, "heartbeat disproves")
	add(c.Reader.Synced, "in sync as of w%d", c.Reader.AsOf.Latest[c.Reader.AsOf.Server])
	return strings.Join(parts, ", ")
}

// String shows an entry.
func (e Entry) String() string {
	s := fmt.Sprintf("w%d", e.Write)
	if e.Write == Unapplied {
		s = "own"
	}
	if e.Version.Known() {
		s += "@" + e.Version.String()
	}
	if !e.Current {
		s += " suspect"
	}
	return s
}

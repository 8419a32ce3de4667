package coherence

import "fmt"

// State is everything at one moment.
type State struct {
	Servers [2]Server // the primary, and its replica
	Pool    uint8     // the server that L2 is for all processes
	Caches  [2]Cache
	Used    Used
}

// Used counts against Bounds.
type Used struct {
	Writes, Others, Joins, Faults, Eras uint8
	OldEra                              bool
}

// now is this moment, as the invariant knows it, for a reader of a server.
func (s State) now(server uint8) Instant {
	return Instant{[2]Write{s.Servers[0].Latest, s.Servers[1].Latest}, server}
}

// Check is the promise: a hit that is unflagged shows no value that had been replaced at
// the instant of the cache's proof.
func (s State) Check(parts Parts) string {
	for i, c := range s.Caches {
		if replaced := s.replaced(c, c.L1); c.L1.Write < replaced && c.Unflagged(parts, c.L1) {
			return fmt.Sprintf("cache %d shows w%d as fresh, in sync as of w%d", i+1, c.L1.Write, replaced)
		}
		if replaced := s.replaced(c, c.Negative); c.Negative.Write < replaced && c.NegativeUnflagged() {
			return fmt.Sprintf("cache %d shows nothing, as after w%d, in sync as of w%d", i+1, c.Negative.Write, replaced)
		}
	}
	return ""
}

// replaced is the write before which all values were replaced at the instant of the
// proof, on the server that gave it and on the one that the reader follows now. While
// this one is not the server of the others, so that two primaries live, a value that it
// has never had is judged where it was read.
func (s State) replaced(c Cache, e Entry) Write {
	follows, proof := c.Reader.Server, c.Reader.AsOf
	if follows != s.Pool && s.Servers[follows].Log.Position().Before(e.Version) {
		return proof.Latest[e.Source]
	}
	return min(proof.Latest[proof.Server], proof.Latest[follows])
}

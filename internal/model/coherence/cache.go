package coherence

// Cache is one process: its L1, its operations under way, and its reader of the log.
// The methods are the steps of the protocol; they return the cache after the step.
type Cache struct {
	L1       Entry
	Negative Entry
	Fill     Fill
	Own      Own
	Reader   Reader
}

// Entry is what a tier holds about the key. The first two fields are the protocol's.
type Entry struct {
	Version Version // unknown until L2 has answered
	Current bool    // the entry's epoch is that of the cache; else it is suspect

	Held   bool
	Write  Write // of the value, or the last one before a negative
	Source uint8 // the server that had the value
}

// Fill is a read of L2 that will store its answer in L1, unless its fence breaks.
type Fill struct {
	Entry
	Negative bool // L2 had no value
}

// Own is a Set of this process that holds the key's lock.
type Own struct {
	Phase   Phase
	L1First bool
	Current bool    // trust was neither lost nor gained since it began
	Version Version // in L2's answer
	Left    Version // the highest version of a message that came meanwhile
	Write   Write
	Source  uint8
}

// Phase is how far a write has come.
type Phase uint8

// The phases of a write.
const (
	NoWrite Phase = iota
	Sent          // L2 may apply it at any time
	Applied       // L2 has applied it, and the answer is under way
)

// Unflagged says whether a hit that shows e is served as fresh. Its proof may be at most
// X old, which bounds the time for which this holds; the model has no clock.
func (c Cache) Unflagged(parts Parts, e Entry) bool {
	return e.Held && e.Current && c.Reader.Synced && (e.Version.Known() || !parts.Has(FlagUnversioned))
}

// NegativeUnflagged says the same of the key's negative, which has no version.
func (c Cache) NegativeUnflagged() bool {
	return c.Negative.Held && c.Negative.Current && c.Reader.Synced
}

// Message is the arrival of a message about the key.
func (c Cache) Message(parts Parts, v Version) Cache {
	if parts.Has(FenceOnMessage) {
		c.Fill = Fill{}
	}
	if parts.Has(DropNegatives) {
		c.Negative = Entry{}
	}
	if c.Own.Phase != NoWrite {
		if parts.Has(LeaveWithWriter) {
			c.Own.Left = v
		}
		if !parts.Has(DropUnderWriter) {
			return c
		}
	}
	if !notOlder(parts, c.L1.Version, v) {
		c.L1 = Entry{}
	}
	return c
}

// notOlder says whether v is proven to be no older than other.
func notOlder(parts Parts, v, other Version) bool {
	if parts.Has(DropOtherEras) && v.Era != other.Era {
		return false
	}
	return v.Known() && !v.Before(other)
}

// raise begins a new epoch: when trust is lost, and when the reader joins.
func (c Cache) raise(parts Parts, suspect bool) Cache {
	if suspect {
		c.L1.Current, c.Negative.Current = false, false
	}
	if parts.Has(FenceOnLoss) {
		c.Fill = Fill{}
	}
	if parts.Has(WritesOnLoss) {
		c.Own.Current = false
	}
	return c
}

// forget clears suspect entries that nothing can make current again.
func (c Cache) forget() Cache {
	if !c.L1.Current && !c.L1.Version.Known() {
		c.L1 = Entry{}
	}
	if !c.Negative.Current {
		c.Negative = Entry{}
	}
	return c
}

// Read is the answer of L2 to a read of the key.
func (c Cache) Read(parts Parts, cell Cell, latest Write, source uint8) Cache {
	if c.stranger(parts, source) {
		return c.Lose(parts)
	}
	c.Reader = c.Reader.see(cell.Version)
	if cell.Write == 0 || cell.Tombstone {
		c.Fill = Fill{Entry{cell.Version, true, true, latest, source}, true}
	} else {
		c.Fill = Fill{Entry{cell.Version, true, true, cell.Write, source}, false}
	}
	return c
}

// stranger says whether an answer comes from a server that is not the one joined.
func (c Cache) stranger(parts Parts, source uint8) bool {
	return parts.Has(CompareAnswers) && c.Reader.Joined && c.Reader.Token != source
}

// Revalidate is the answer of L2 to a conditional get of a suspect entry: unchanged, or
// what L2 has now.
func (c Cache) Revalidate(parts Parts, cell Cell, latest Write, source uint8) Cache {
	same := cell.Write > 0 && !cell.Tombstone && cell.Version == c.L1.Version
	if parts.Has(RevalidateWrite) {
		same = same && cell.Write == c.L1.Write
	}
	if same {
		cell.Write = c.L1.Write // the answer has no value
	}
	return c.Read(parts, cell, latest, source)
}

// Store is the end of a read whose fence holds: the refill of L1, or a negative.
func (c Cache) Store(parts Parts) Cache {
	f := c.Fill
	c.Fill = Fill{}
	switch {
	case f.Negative:
		c.Negative = f.Entry
		if !c.L1.Current {
			c.L1 = Entry{}
		}
	case parts.Has(DropOtherEras) && f.Version.Era != c.Reader.Position.Era:
	default:
		c.L1, c.Negative = f.Entry, Entry{}
	}
	return c
}

// Begin is the start of a Set, which takes the key's lock. L1First stores the value
// before L2 has it.
func (c Cache) Begin(l1First bool) Cache {
	c.Fill, c.Negative = Fill{}, Entry{}
	c.Own = Own{Phase: Sent, L1First: l1First, Current: true}
	if l1First {
		c.L1 = Entry{Current: true, Held: true, Write: Unapplied}
	}
	return c
}

// Arrived notes that L2 has applied the Set, whose answer is under way. The process does
// not know it yet; the invariant does.
func (c Cache) Arrived(v Version, w Write, source uint8) Cache {
	c.Own.Phase, c.Own.Version, c.Own.Write, c.Own.Source = Applied, v, w, source
	if c.L1.Write == Unapplied {
		c.L1.Write, c.L1.Source = w, source
	}
	return c
}

// Answer is L2's answer to the Set: it is applied. L1 gets the value, unless somebody
// was newer.
func (c Cache) Answer(parts Parts) Cache {
	if c.stranger(parts, c.Own.Source) {
		c = c.Lose(parts)
	}
	o := c.Own
	c.Own = Own{}
	c.Reader = c.Reader.see(o.Version)
	switch {
	case !o.Current,
		o.Left.Known() && !notOlder(parts, o.Version, o.Left),
		parts.Has(DropOtherEras) && o.Version.Era != c.Reader.Position.Era:
		c.L1 = Entry{}
	default:
		c.L1 = Entry{o.Version, true, true, o.Write, o.Source}
	}
	return c
}

// GiveUp is the end of a Set without an answer. L1 keeps a value that is there already,
// without a version.
func (c Cache) GiveUp() Cache {
	if !c.Own.L1First {
		c.L1 = Entry{}
	}
	return c.release()
}

// Refuse is L2's answer that the Set is certainly not applied.
func (c Cache) Refuse() Cache { return c.release() }

// release ends a Set. A value that L2 never applied is older than any.
func (c Cache) release() Cache {
	c.Own = Own{}
	if c.L1.Write == Unapplied {
		c.L1.Write = 0
	}
	return c
}

package coherence

// Version is a position in a log. Its zero value is unknown.
type Version struct{ Era, Seq uint8 }

// Known says whether v is a position.
func (v Version) Known() bool { return v.Era > 0 }

// Before orders versions as the server orders ids.
func (v Version) Before(other Version) bool {
	return v.Era < other.Era || v.Era == other.Era && v.Seq < other.Seq
}

// Write numbers the writes of the key in the order in which L2 applied them. It is not
// part of the protocol: it tells the invariant which value is older. Zero is no write.
type Write = uint8

// Unapplied is the number of a write that L2 has not applied yet.
const Unapplied Write = 15

// Cell is the key in L2: a value, a tombstone, or nothing.
type Cell struct {
	Write     Write // 0: the key is absent
	Version   Version
	Tombstone bool
}

// Log is the log of a server. Its ids are dense, from 0 on in each era.
type Log struct {
	Exists      bool
	Era         uint8
	Last, First uint8 // the last id, and the first that was not trimmed
	AboutKey    uint8 // the bit of each id whose message is about the key
	WasUsed     bool  // of a log that does not exist any more: it had taken a message
}

// Position is the id of the last message ever written.
func (l Log) Position() Version { return Version{l.Era, l.Last} }

// Head is the last message that the log holds. It is unknown if there is none.
func (l Log) Head() Version {
	if !l.Exists || l.First > l.Last {
		return Version{}
	}
	return l.Position()
}

// Holds says whether the message v was not trimmed.
func (l Log) Holds(v Version) bool {
	return l.Exists && l.Era == v.Era && l.First <= v.Seq && v.Seq <= l.Last
}

// After returns the first message behind a position, as XREAD does: it skips those
// that were trimmed, and finds nothing if the position is ahead of the log.
func (l Log) After(v Version) (id Version, aboutKey, ok bool) {
	id = Version{l.Era, l.First}
	if l.Era == v.Era {
		id.Seq = max(id.Seq, v.Seq+1)
	}
	if !l.Holds(id) || !v.Before(id) {
		return Version{}, false, false
	}
	return id, l.AboutKey&(1<<id.Seq) != 0, true
}

// Server is an L2: a primary or its replica.
type Server struct {
	Cell Cell
	Log  Log

	// Latest is the last write of the key that this server has applied. It is not part
	// of the protocol.
	Latest Write
}

// Append adds a message. Where there is no log it makes one, at 0 in the old era, as a
// plain XADD does: NoMakeStream keeps writers from it.
func (s Server) Append(aboutKey bool) Server {
	if s.Log.Exists {
		s.Log.Last++
		if s.Log.Last > 7 {
			panic("coherence: the bounds allow more messages than AboutKey has bits")
		}
	} else {
		s.Log = Log{Exists: true, Era: s.Log.Era}
	}
	if aboutKey {
		s.Log.AboutKey |= 1 << s.Log.Last
	}
	return s
}

// Apply adds the message of a Set or Delete, and then changes the value.
func (s Server) Apply(w Write, tombstone bool) Server {
	s = s.Append(true)
	s.Cell = Cell{Write: w, Version: s.Log.Position(), Tombstone: tombstone}
	s.Latest = w
	return s
}

// Fail is a script that ends half-way: with LogFirst there is a message about a write
// that did not happen, and without it a value of which no message tells.
func (s Server) Fail(parts Parts, w Write) Server {
	if parts.Has(LogFirst) {
		return s.Append(true)
	}
	s.Cell = Cell{Write: w}
	s.Latest = w
	return s
}

// Evict removes the value or the tombstone, without a message. A value that expires
// is removed in the same way.
func (s Server) Evict() Server {
	s.Cell = Cell{}
	return s
}

// TrimOne removes the oldest message.
func (s Server) TrimOne() Server {
	s.Log.AboutKey &^= 1 << s.Log.First
	s.Log.First++
	return s
}

// TrimAll removes all messages. The log stays, and with it its last id.
func (s Server) TrimAll() Server {
	s.Log.AboutKey, s.Log.First = 0, s.Log.Last+1
	return s
}

// DeleteLog removes the log, as DEL does, or eviction.
func (s Server) DeleteLog() Server {
	s.Log = Log{Era: s.Log.Era, WasUsed: s.Log.Last > 0}
	return s
}

// Flush removes everything (FLUSHALL).
func (s Server) Flush() Server { return s.Evict().DeleteLog() }

// MakeLog begins a log with a message of its maker.
func (s Server) MakeLog(era uint8) Server {
	s.Log = Log{Exists: true, Era: era}
	return s
}

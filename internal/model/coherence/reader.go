package coherence

// Reader follows the log of one server, and proves with heartbeats that it misses
// nothing.
type Reader struct {
	Joined   bool
	Server   uint8 // to which it is connected
	Token    uint8 // the server that it joined
	Position Version
	Highest  Version // the highest version in any reply since it joined, of the same era
	Beat     Beat
	Synced   bool
	AsOf     Instant // of the proof
}

// Beat is a heartbeat under way: one answer of the server, compared, and waiting until
// everything up to its head is consumed.
type Beat struct {
	Phase BeatPhase
	Head  Version
	AsOf  Instant // before it was sent
}

// BeatPhase is the state of a heartbeat.
type BeatPhase uint8

// The states of a heartbeat.
const (
	NoBeat BeatPhase = iota
	Proves
	Disproves
)

// Instant is a moment in time: the last write that each server had applied, and the
// server that gave a proof. It is not part of the protocol.
type Instant struct {
	Latest [2]Write
	Server uint8
}

// see notes a version in a reply of L2.
func (r Reader) see(v Version) Reader {
	if r.Joined && v.Era == r.Position.Era && r.Highest.Before(v) {
		r.Highest = v
	}
	return r
}

// Join is the answer to the reader's hello: its position. All that L1 has was not
// watched until now.
func (c Cache) Join(parts Parts, server uint8, hello Version) Cache {
	c.Reader = Reader{Joined: true, Server: server, Token: server, Position: hello, Highest: hello}
	return c.raise(parts, parts.Has(SuspectEntries|SuspectAtJoin))
}

// Lose is the loss of trust, for any cause: the reader has to join again.
func (c Cache) Lose(parts Parts) Cache {
	c.Reader = Reader{Server: c.Reader.Server}
	return c.raise(parts, parts.Has(SuspectEntries))
}

// Consume is the arrival of the next message that the log has.
func (c Cache) Consume(parts Parts, id Version, aboutKey bool) Cache {
	next := Version{c.Reader.Position.Era, c.Reader.Position.Seq + 1}
	if parts.Has(DenseIDs) && id != next {
		return c.Lose(parts)
	}
	c.Reader.Position = id
	c.Reader = c.Reader.see(id)
	if aboutKey {
		c = c.Message(parts, id)
	}
	return c
}

// Beat is a heartbeat and the server's answer to it, compared.
func (c Cache) Beat(parts Parts, log Log, now Instant) Cache {
	r := c.Reader
	head, seen := log.Head(), r.Position
	if parts.Has(CompareReplies) {
		seen = r.Highest
	}
	lost := parts.Has(CompareServers) && r.Server != r.Token ||
		parts.Has(CompareHead) && head.Before(seen) ||
		parts.Has(MatchLog) && !log.Holds(r.Position)
	if lost {
		c.Reader.Beat = Beat{Phase: Disproves}
	} else {
		c.Reader.Beat = Beat{Proves, head, now}
	}
	return c
}

// Prove is the end of a heartbeat.
func (c Cache) Prove(parts Parts, now Instant) Cache {
	b := c.Reader.Beat
	if b.Phase == Disproves {
		return c.Lose(parts)
	}
	if parts.Has(ConsumeToHead) && c.Reader.Position.Before(b.Head) {
		return c // later
	}
	c.Reader.Beat, c.Reader.Synced, c.Reader.AsOf = Beat{}, true, b.AsOf
	if !parts.Has(AsOfSent) {
		c.Reader.AsOf = now
	}
	return c
}

// Reconnect is another connection, to the same server or to another one. The reader
// goes on at its position, and forgets the heartbeat that was under way.
func (c Cache) Reconnect(parts Parts, server uint8, now Instant) Cache {
	c.Reader.Server, c.Reader.Beat = server, Beat{}
	if c.Reader.Joined && !parts.Has(ReconnectProvesNothing) {
		c.Reader.Synced, c.Reader.AsOf = true, now
	}
	return c
}

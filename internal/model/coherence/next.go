package coherence

import "github.com/tiercache/tiercache/internal/model/explore"

// Bounds make the search finite, and say what can happen.
type Bounds struct {
	Caches int   // processes that have a cache; others only write
	Writes uint8 // of the key, by anybody
	Others uint8 // messages about other keys
	Joins  uint8 // of caches
	Faults uint8 // of the environment, together
	Eras   uint8 // logs after the first one

	L1First  bool // caches write L1 first, too
	OwnSets  bool // caches write at all
	Failover bool // the replica can take over
	Split    bool // the readers can stay with the old primary meanwhile
	OldEras  bool // a new log can have an era below the last one
}

// The era of the first log. One below it is left for OldEras.
const firstEra = 2

// Model returns the protocol with these parts, for the explorer.
func Model(parts Parts, b Bounds) explore.Model[State] {
	var start State
	for i := range start.Servers {
		start.Servers[i] = Server{}.MakeLog(firstEra)
	}
	return explore.Model[State]{
		Start: start,
		Next: func(s State, step func(name string, to State)) {
			moves{parts, b, s, step}.all()
		},
		Invariant: func(s State) string { return s.Check(parts) },
		Most:      5_000_000,
	}
}

// moves are the steps that are possible in a state.
type moves struct {
	parts Parts
	most  Bounds
	State
	step func(name string, to State)
}

func (m moves) all() {
	if m.distrusted() {
		return
	}
	for i := range m.most.Caches {
		m.reader(i)
		m.reads(i)
		if m.most.OwnSets {
			m.ownSet(i)
		}
	}
	m.others()
	if m.Pool == 0 && (m.most.Failover || !m.parts.Has(ReadPrimary)) {
		m.replica()
	}
	if m.Used.Faults < m.most.Faults {
		m.Used.Faults++
		m.faults()
	}
}

// distrusted says that no cache can be trusted any more, because the bound on joins is
// reached: all that follows is of no interest.
func (m moves) distrusted() bool {
	for _, c := range m.Caches[:m.most.Caches] {
		if c.Reader.Joined || m.Used.Joins < m.most.Joins {
			return false
		}
	}
	return true
}

// cache makes a step of a cache.
func (m moves) cache(i int, name string, c Cache) {
	if i > 0 {
		name += " (2)"
	}
	m.Caches[i] = c.forget()
	m.step(name, m.State)
}

// Steps are the names of all steps. Those of a second cache end in " (2)".
var Steps = []string{
	"consume", "heartbeat", "heartbeat ends", "reconnect", "join",
	"read L2", "revalidate", "read replica", "store",
	"set, L2 first", "set, L1 first", "L2 applies", "L2 refuses", "answer", "give up",
	"another process joins", "another process sets", "another process deletes", "another key is written",
	"evict the value", "trim one", "trim all", "delete the log", "flush all", "script fails half-way",
	"replica catches up", "failover", "failover, readers stay",
}

// server makes a step of the primary.
func (m moves) server(name string, s Server) {
	m.Servers[m.Pool] = s
	m.step(name, m.State)
}

// l2 is the server that all processes write.
func (m moves) l2() Server { return m.Servers[m.Pool] }

// writable says whether a script that adds a message succeeds.
func (m moves) writable() bool { return m.l2().Log.Exists || !m.parts.Has(NoMakeStream) }

// reader makes the steps of a reader.
func (m moves) reader(i int) {
	c := m.Caches[i]
	if !c.Reader.Joined {
		m.join(i)
		return
	}
	log, now := m.Servers[c.Reader.Server].Log, m.now(c.Reader.Server)
	if id, aboutKey, ok := log.After(c.Reader.Position); ok {
		m.cache(i, "consume", c.Consume(m.parts, id, aboutKey))
	}
	if c.Reader.Beat.Phase == NoBeat {
		m.cache(i, "heartbeat", c.Beat(m.parts, log, now))
	} else {
		m.cache(i, "heartbeat ends", c.Prove(m.parts, now))
	}
	m.cache(i, "reconnect", c.Reconnect(m.parts, m.Pool, m.now(m.Pool)))
}

// join writes a hello, into a new log if there is none.
func (m moves) join(i int) {
	if m.Used.Joins == m.most.Joins {
		return
	}
	m.Used.Joins++
	join := func(m moves, s Server) {
		m.Servers[m.Pool] = s
		m.cache(i, "join", m.Caches[i].Join(m.parts, m.Pool, s.Log.Position()))
	}
	if s := m.l2(); s.Log.Exists {
		join(m, s.Append(false))
		return
	}
	m.newLog(func(m moves, s Server) { join(m, s.Append(false)) })
}

// reads makes the steps of reads that missed in L1.
func (m moves) reads(i int) {
	c := m.Caches[i]
	if c.Fill.Held {
		if c.Own.Phase == NoWrite { // a refill waits for the key's lock
			m.cache(i, "store", c.Store(m.parts))
		}
		return
	}
	s := m.l2()
	m.cache(i, "read L2", c.Read(m.parts, s.Cell, s.Latest, m.Pool))
	if c.L1.Held && !c.L1.Current && c.L1.Version.Known() {
		m.cache(i, "revalidate", c.Revalidate(m.parts, s.Cell, s.Latest, m.Pool))
	}
	if m.parts.Has(ReadPrimary) || m.Pool != 0 {
		return
	}
	replica := m.Servers[1]
	if m.parts.Has(CompareReplica) && replica.Log.Position().Before(c.Reader.Position) {
		return
	}
	m.cache(i, "read replica", c.Read(m.parts, replica.Cell, replica.Latest, m.Pool))
}

// ownSet makes the steps of a Set in a process that has a cache.
func (m moves) ownSet(i int) {
	c := m.Caches[i]
	switch c.Own.Phase {
	case NoWrite:
		if m.Used.Writes < m.most.Writes {
			m.cache(i, "set, L2 first", c.Begin(false))
			if m.most.L1First {
				m.cache(i, "set, L1 first", c.Begin(true))
			}
		}
	case Sent:
		m.arrive(i)
		m.cache(i, "give up", c.GiveUp())
	case Applied:
		m.cache(i, "answer", c.Answer(m.parts))
		m.cache(i, "give up", c.GiveUp())
	}
}

// arrive is the arrival of an own Set at L2.
func (m moves) arrive(i int) {
	c := &m.Caches[i]
	if !m.writable() {
		m.cache(i, "L2 refuses", c.Refuse())
		return
	}
	if m.Used.Writes == m.most.Writes {
		return
	}
	m.Used.Writes++
	s := m.l2().Apply(m.Used.Writes, false)
	*c = c.Arrived(s.Log.Position(), m.Used.Writes, m.Pool)
	m.server("L2 applies", s)
}

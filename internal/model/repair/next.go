package repair

import "github.com/tiercache/tiercache/internal/model/explore"

// Bounds make the search finite, and say what can happen.
type Bounds struct {
	Operations uint8 // of this process
	Others     uint8 // writes of another process
	Evictions  uint8 // of a value or a tombstone
	Attempts   uint8 // of repairs to write
	ClockBacks uint8 // times that the server's clock steps back behind a deadline
	Failover   bool  // a replica that lacks writes takes over
}

// Model returns a repair of this way with these parts, for the explorer.
func Model(way Way, parts Parts, b Bounds) explore.Model[State] {
	first := Store{Cell: Cell{Value, 1, Write{Number: 1}}, Last: 1, Done: Write{Number: 1}}
	start := State{Store: first, Process: Process{Seen: 1}}
	if b.Failover {
		start.Replica = first
	}
	return explore.Model[State]{
		Start: start,
		Next: func(s State, step func(name string, to State)) {
			moves{way, parts, b, s, step}.all()
		},
		Invariant: func(s State) string { return s.Check(parts) },
		Most:      5_000_000,
	}
}

// Steps are the names of all steps of the way taken.
var Steps = []string{
	"set, L1 first", "set, L2 first", "delete, L1 first", "delete, L2 first",
	"the operation is answered", "the operation is given up on", "the operation is certainly refused",
	"look", "settle", "send the repair", "the repair is answered", "the repair is given up on",
	"L2 applies", "L2 applies, late", "L2 applies, behind the deadline", "L2 refuses",
	"a deadline passes", "the clock of L2 steps back behind the deadline",
	"consume", "fill L1", "notice the other server",
	"another process sets", "another process deletes", "evict", "replica catches up", "failover",
}

// moves are the steps that are possible in a state.
type moves struct {
	way   Way
	parts Parts
	most  Bounds
	State
	step func(name string, to State)
}

func (m moves) all() {
	m.operations()
	m.repairs()
	m.reads()
	for i := range m.Requests {
		m.network(i)
	}
	m.environment()
}

// process makes a step of the process.
func (m moves) process(name string, p Process) {
	m.Process = p
	m.step(name, m.State)
}

// operations makes the steps of writes.
func (m moves) operations() {
	p := m.Process
	switch p.Stage {
	case Idle, Open:
		if free := m.free(); free > 0 && p.Operation < m.most.Operations {
			m.start("set, L1 first", free, p.Start(false, true, free))
			m.start("set, L2 first", free, p.Start(false, false, free))
			m.start("delete, L1 first", free, p.Start(true, true, free))
			m.start("delete, L2 first", free, p.Start(true, false, free))
		}
	case Writing:
		if p.Answer.Kind != NoAnswer {
			m.answered("the operation is answered", p.Finish(m.parts))
		}
		m.process("the operation is given up on", p.GiveUp(m.parts))
	case Looked, Repairing:
	}
}

// free is the number of a request that is not in use, from 1 on, or 0.
func (m moves) free() uint8 {
	for i, r := range m.Requests {
		if r.Phase == None {
			return uint8(i) + 1 //nolint:gosec // There are few.
		}
	}
	return 0
}

// start sends an operation's request.
func (m moves) start(name string, request uint8, p Process) {
	m.Requests[request-1] = Request{Phase: Sent, Operation: p.Operation, Delete: p.Delete}
	m.process(name, p)
}

// answered frees the request that the process has waited for.
func (m moves) answered(name string, p Process) {
	m.Requests[m.Process.Waits-1] = Request{}
	m.process(name, p)
}

// strays says whether an older request can still arrive, as far as the process knows.
func (m moves) strays() bool {
	for i, r := range m.Requests {
		if (r.Phase == Sent || r.Phase == Arrived) && int(m.Process.Waits) != i+1 {
			return true
		}
	}
	return false
}

// repairs makes the steps of the repair.
func (m moves) repairs() {
	p := m.Process
	switch p.Stage {
	case Open:
		if m.parts.Has(WaitForDeadline) && m.strays() {
			return
		}
		switch m.way {
		case DropL1:
			m.process("drop L1", p.Drop())
		case BlindRetry:
			m.send()
		default:
			m.process("look", p.Look(m.way, m.Store, m.Server))
		}
	case Looked:
		if p.RollsForward() {
			m.send()
		} else {
			m.process("settle", p.Settle())
		}
	case Repairing:
		if p.Answer.Kind != NoAnswer {
			m.answered("the repair is answered", p.Repaired())
		}
		m.process("the repair is given up on", p.GiveUp(m.parts))
	case Idle, Writing:
	}
}

// send sends the repair's write.
func (m moves) send() {
	free, p := m.free(), m.Process
	if free == 0 || m.Used.Attempts == m.most.Attempts {
		return
	}
	m.Used.Attempts++
	r := Request{Phase: Sent, Operation: p.Operation, Delete: p.Delete, Server: p.Server, Repair: true}
	switch m.way {
	case Taken:
		r.Condition, r.Version = NotNewer, p.Base
	case CompareAndSetOnRead:
		r.Condition, r.Version = Is, p.Found.Version
	case BlindRetry, ReadCompareWrite, DropL1:
	}
	m.Requests[free-1] = r
	m.process("send the repair", p.Send(free))
}

// reads makes the steps of reads and of the reader of the log.
func (m moves) reads() {
	p := m.Process
	told := m
	if m.Used.ClockBacks > 0 && m.parts.Has(Reopen) && m.Trouble == ActedLater {
		told.Trouble = Fine
	}
	switch {
	case p.Server != m.Server: // all that L1 has is suspect now, which is an event too
		told.process("notice the other server", p.ChangeServer(m.Server, m.Store.Last))
	case p.Seen < m.Store.Last:
		told.process("consume", p.Consume(m.parts, m.Store.Last, m.Store.Done))
	}
	if p.Stage == Idle || p.Stage == Open && !m.parts.Has(FillClosed) {
		m.process("fill L1", p.Fill(m.Store.Cell))
	}
}

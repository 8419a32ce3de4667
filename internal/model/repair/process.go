package repair

// Process is the one whose write diverged: what it knows about the key. Its methods are
// steps; they return the process after the step.
type Process struct {
	Stage     Stage
	Operation uint8 // the newest one; they are numbered from 1 on
	Delete    bool
	L1First   bool
	Base      Version // the highest version known before the operation began
	Waits     uint8   // for the answer to this request, numbered from 1 on
	Answer    Answer
	Found     Found

	Certain uint8 // a bit for each operation that L2 certainly had

	L1     L1
	Seen   Version // all messages up to here were consumed
	Looked Version // the head of the log in the last look
	Server uint8   // that is known
	Ledger Ledger
}

// Stage is how far an operation or its repair has come.
type Stage uint8

// The stages.
const (
	Idle Stage = iota
	Writing
	Open      // the key is in the ledger
	Looked    // the repair has read L2
	Repairing // the repair has sent a write
)

// L1 is the entry of the key in L1. Its version is unknown until L2 has answered.
type L1 struct {
	Held    bool
	Write   Write
	Version Version
}

// Answer is L2's answer to the request that the process waits for.
type Answer struct {
	Kind    Answered
	Version Version // if it was applied
	Server  uint8   // that has answered
}

// Answered is the kind of an answer.
type Answered uint8

// The answers. An Unsent request was refused for certain, for instance by a breaker.
const (
	NoAnswer Answered = iota
	Applied
	Refused
	Unsent
)

// Found is the result of a look.
type Found struct {
	Verdict Verdict
	Version Version
	Server  uint8 // that was asked
}

// Verdict is what a look at L2 says about the operation.
type Verdict uint8

// The verdicts.
const (
	NoVerdict Verdict = iota
	Own               // L2 has the operation's write
	Older             // L2 has nothing newer than the base
	Newer             // L2 has something newer, or nothing, which proves nothing
)

// Ledger counts the events of the key.
type Ledger struct {
	Open           bool
	Opened, Closed uint8
}

// Start begins an operation, which takes the key's lock.
func (p Process) Start(isDelete, l1First bool, request uint8) Process {
	p.Operation++
	p.Stage, p.Delete, p.L1First, p.Base, p.Waits = Writing, isDelete, l1First, p.Seen, request
	p.Base = max(p.Base, p.L1.Version)
	switch {
	case l1First && isDelete:
		p.L1 = L1{}
	case l1First:
		p.L1 = L1{Held: true, Write: ByOperation(p.Operation)}
	}
	return p
}

// Finish ends an operation that L2 has answered. If an older one of the key is unknown,
// the answer does not say which of the two came last.
func (p Process) Finish(parts Parts) Process {
	a := p.Answer
	p.Answer, p.Waits = Answer{}, 0
	if a.Kind == Unsent {
		return p.unsent(parts)
	}
	p = p.keep(a)
	if p.Ledger.Open && parts.Has(LookAfterOlder) {
		p.Stage = Open
		return p
	}
	return p.close()
}

// keep leaves in L1 the value that L2 has applied, unless there was a newer message, or
// the server is another one meanwhile.
func (p Process) keep(a Answer) Process {
	p.Certain |= 1 << p.Operation
	if p.Delete || a.Version < p.Seen || a.Server != p.Server {
		p.L1 = L1{}
	} else {
		p.L1 = L1{true, ByOperation(p.Operation), a.Version}
	}
	return p
}

// unsent ends an operation that L2 certainly does not have.
func (p Process) unsent(parts Parts) Process {
	switch {
	case p.Delete:
		p.L1 = L1{}
		return p.open(parts)
	case p.L1First:
		return p.open(parts)
	case p.Ledger.Open:
		p.L1, p.Stage = L1{}, Open
	default:
		p.Stage = Idle
	}
	return p
}

// GiveUp ends the wait for an answer. The outcome of an operation is unknown then; a
// repair is tried again.
func (p Process) GiveUp(parts Parts) Process {
	p.Answer, p.Waits = Answer{}, 0
	if p.Stage == Repairing {
		p.Stage = Open
		return p
	}
	if p.Delete || !p.L1First {
		p.L1 = L1{}
	}
	return p.open(parts)
}

// open notes an event in the ledger. An older one of the key is replaced.
func (p Process) open(parts Parts) Process {
	p.Stage = Open
	if !parts.Has(BaseBefore) {
		p.Base = max(p.Seen, p.L1.Version)
	}
	p.Ledger.Opened++
	if p.Ledger.Open && parts.Has(CloseReplaced) {
		p.Ledger.Closed++
	}
	p.Ledger.Open = true
	return p
}

// close notes that the event is resolved.
func (p Process) close() Process {
	p.Stage, p.Found = Idle, Found{}
	if p.Ledger.Open {
		p.Ledger.Open = false
		p.Ledger.Closed++
	}
	return p
}

// Consume is the arrival of all messages up to the last one, whose write is named. One of
// an operation that was resolved as if L2 did not have it opens a new event, unless the
// look has seen it.
func (p Process) Consume(parts Parts, last Version, w Write) Process {
	p.Seen = last
	if p.L1.Version < last {
		p.L1 = L1{}
	}
	own := w.Age > 0 && w.Age%2 == 0 && p.Certain&(1<<(w.Age/2)) == 0
	if parts.Has(Reopen) && p.Stage == Idle && own && p.Looked < last {
		p.L1 = L1{}
		return p.open(parts)
	}
	return p
}

// ChangeServer is the discovery of another server: no version is worth anything, so L1
// and the base of an open event are given up.
func (p Process) ChangeServer(server uint8, last Version) Process {
	p.Server, p.Seen, p.L1 = server, last, L1{}
	p.Base, p.Looked = 0, last
	return p
}

// Fill is a refill of L1 by a read.
func (p Process) Fill(c Cell) Process {
	if c.Kind == Value && c.Version >= p.Seen {
		p.L1 = L1{true, c.Write, c.Version}
	}
	return p
}

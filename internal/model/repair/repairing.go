package repair

// Look is L2's answer to the read of a repair: the key, and the head of the log.
func (p Process) Look(way Way, s Store, server uint8) Process {
	c := s.Cell
	p.Stage, p.Looked = Looked, s.Last
	p.Found = Found{Newer, c.Version, server}
	own := ByOperation(p.Operation)
	switch {
	case c.Write == own:
		p.Found.Verdict = Own
	case way == CompareAndSetOnRead,
		way == ReadCompareWrite && c.Write.Age < own.Age,
		way == Taken && c.Version <= p.Base && (c.Kind != Absent || p.Delete):
		p.Found.Verdict = Older
	}
	return p
}

// RollsForward says whether the repair has a write to send, after a look.
func (p Process) RollsForward() bool {
	return p.Found.Verdict == Older && (p.Delete || p.L1.Held && p.L1.Write == ByOperation(p.Operation))
}

// Send sends the repair's write.
func (p Process) Send(request uint8) Process {
	p.Stage, p.Waits, p.Found = Repairing, request, Found{}
	return p
}

// Settle ends a repair that has nothing to write.
func (p Process) Settle() Process {
	if p.Found.Verdict == Own {
		return p.keepHeld(Answer{Applied, p.Found.Version, p.Found.Server}).close()
	}
	p.L1 = L1{}
	return p.close() // superseded, or certainly not applied
}

// Repaired ends a repair whose write was answered.
func (p Process) Repaired() Process {
	a := p.Answer
	p.Answer, p.Waits = Answer{}, 0
	if a.Kind == Applied {
		return p.keepHeld(a).close()
	}
	p.L1 = L1{}
	return p.close() // superseded
}

// keepHeld is keep for a value that may have left L1 meanwhile.
func (p Process) keepHeld(a Answer) Process {
	held := p.L1.Held
	p = p.keep(a)
	if !held {
		p.L1 = L1{}
	}
	return p
}

// Drop is the repair that only drops L1.
func (p Process) Drop() Process {
	p.L1 = L1{}
	return p.close()
}

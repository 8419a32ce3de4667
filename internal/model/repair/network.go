package repair

// network makes the steps of a request on its way.
func (m moves) network(i int) {
	r := m.Requests[i]
	if r.Phase == None {
		return
	}
	if r.Phase != Arrived {
		m.arrive(i)
	}
	waits := int(m.Process.Waits) == i+1
	switch {
	case r.Phase == Stray:
	case waits && r.Phase == Sent && !r.Repair:
		m.Requests[i] = Request{Phase: Arrived}
		m.Process.Answer = Answer{Kind: Unsent}
		m.step("the operation is certainly refused", m.State)
	case !waits:
		m.deadline(i)
	}
}

// arrive is the arrival of a request at L2.
func (m moves) arrive(i int) {
	r, p := m.Requests[i], &m.Process
	m.Requests[i] = Request{Phase: Arrived}
	if r.Phase == Stray {
		m.Requests[i] = Request{}
	}
	waits := int(p.Waits) == i+1
	if !m.Store.Accepts(m.parts, r, m.Server) {
		if waits {
			p.Answer = Answer{Refused, 0, m.Server}
		}
		m.step("L2 refuses", m.State)
		return
	}
	m.Trouble = max(m.Trouble, m.trouble(r, waits))
	m.Store = m.Store.Apply(m.parts, ByOperation(r.Operation), r.Delete)
	switch {
	case waits:
		p.Answer = Answer{Applied, m.Store.Last, m.Server}
		m.step("L2 applies", m.State)
	case r.Phase == Stray:
		m.step("L2 applies, behind the deadline", m.State)
	default:
		m.step("L2 applies, late", m.State)
	}
}

// trouble is the trouble of a request that L2 applies.
func (m moves) trouble(r Request, waits bool) Trouble {
	newer := m.Store.Done.Age > 2*r.Operation
	switch {
	case r.Repair && newer && (!r.Delete || m.Store.Cell.Kind == Value):
		return Overwrote
	case !waits && !m.Process.Ledger.Open:
		return ActedLater
	}
	return Fine
}

// deadline is the deadline of a request that nobody waits for.
func (m moves) deadline(i int) {
	if m.Used.ClockBacks < m.most.ClockBacks && m.Requests[i].Phase == Sent {
		m := m
		m.Used.ClockBacks++
		m.Requests[i].Phase = Stray
		m.step("the clock of L2 steps back behind the deadline", m.State)
	}
	if m.parts.Has(Deadlines) || m.Requests[i].Phase == Arrived {
		m.Requests[i] = Request{}
	} else {
		m.Requests[i].Phase = Stray
	}
	m.step("a deadline passes", m.State)
}

// environment makes the steps of the others.
func (m moves) environment() {
	if m.Used.Others < m.most.Others {
		m := m
		m.Used.Others++
		w := Write{Age: 2*m.Process.Operation + 1, Number: m.Used.Others}
		for _, isDelete := range []bool{false, true} {
			m := m
			m.Store = m.Store.Apply(m.parts, w, isDelete)
			m.step(map[bool]string{false: "another process sets", true: "another process deletes"}[isDelete], m.State)
		}
	}
	if m.Used.Evictions < m.most.Evictions && m.Store.Cell.Kind != Absent {
		m := m
		m.Used.Evictions++
		m.Store = m.Store.Evict()
		m.step("evict", m.State)
	}
	if m.most.Failover && m.Server == 0 {
		t := m
		t.Replica = m.Store
		t.step("replica catches up", t.State)
		t = m
		t.Server, t.Store, t.Replica = 1, m.Replica, Store{}
		t.step("failover", t.State)
	}
}

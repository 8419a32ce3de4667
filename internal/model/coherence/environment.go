package coherence

// others makes the steps of processes without a cache.
func (m moves) others() {
	if !m.writable() {
		m.newLog(func(m moves, s Server) { m.server("another process joins", s) })
		return
	}
	if m.Used.Others < m.most.Others {
		m := m
		m.Used.Others++
		m.server("another key is written", m.l2().Append(false))
	}
	if m.Used.Writes < m.most.Writes {
		m.Used.Writes++
		m.server("another process sets", m.l2().Apply(m.Used.Writes, false))
		m.server("another process deletes", m.l2().Apply(m.Used.Writes, true))
	}
}

// faults makes the steps of the environment.
func (m moves) faults() {
	s := m.l2()
	if s.Cell.Write != 0 {
		m.server("evict the value", s.Evict())
	}
	if s.Log.Exists {
		if s.Log.First <= s.Log.Last {
			m.server("trim one", s.TrimOne())
			m.server("trim all", s.TrimAll())
		}
		m.server("delete the log", s.DeleteLog())
		m.server("flush all", s.Flush())
		if m.Used.Writes < m.most.Writes {
			m := m
			m.Used.Writes++
			m.server("script fails half-way", s.Fail(m.parts, m.Used.Writes))
		}
	}
	if m.Pool == 0 && m.most.Failover {
		m.failover()
	}
}

// failover makes the replica the primary, without the writes that it does not have.
func (m moves) failover() {
	m.Pool = 1
	if m.most.Split {
		m.step("failover, readers stay", m.State)
	}
	m.Servers[0] = Server{Latest: m.Servers[0].Latest}
	for i := range m.most.Caches {
		m.Caches[i] = m.Caches[i].Reconnect(m.parts, 1, m.now(1))
	}
	m.step("failover", m.State)
}

// replica makes the step of the replica, which has all writes up to some moment.
func (m moves) replica() {
	m.Servers[1] = m.Servers[0]
	m.step("replica catches up", m.State)
}

// newLog calls made for each era that a new log can have.
func (m moves) newLog(made func(m moves, s Server)) {
	old := m.l2().Log
	if m.Used.Eras < m.most.Eras {
		next := m
		next.Used.Eras++
		made(next, m.l2().MakeLog(firstEra+next.Used.Eras))
	}
	if m.most.OldEras && !m.Used.OldEra {
		next := m
		next.Used.OldEra = true
		made(next, m.l2().MakeLog(firstEra-1))
	}
	again := !m.parts.Has(WaitForEra) || !old.WasUsed
	if again && !m.parts.Has(NewEras) {
		made(m, m.l2().MakeLog(old.Era))
	}
}

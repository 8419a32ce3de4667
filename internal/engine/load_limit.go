package engine

// countLoad counts a load that begins, unless it is one too many. Those of a batch count as
// one, because their loader is called once; m is nil for a load that is none of a batch.
func (e *Engine[V]) countLoad(m *member[V]) bool {
	if m == nil {
		return e.countOne()
	}
	b := m.batch
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.loads == 0 && !e.countOne() {
		return false
	}
	b.loads++
	return true
}

// countOne reports whether one more load is within the limit of WithMaxLoads.
func (e *Engine[V]) countOne() bool {
	if limit := int64(e.config.MaxLoads); e.loads.Add(1) > limit && limit > 0 {
		e.loads.Add(-1)
		return false
	}
	return true
}

// uncountLoad is called at the end of a load that was counted.
func (e *Engine[V]) uncountLoad(m *member[V]) {
	if m != nil {
		b := m.batch
		b.mu.Lock()
		defer b.mu.Unlock()
		b.loads--
		if b.loads > 0 {
			return
		}
	}
	e.loads.Add(-1)
}

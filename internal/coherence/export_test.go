package coherence

// StopTimer stops the timer that finds lapses, as if it were late.
func (m *Machine) StopTimer() { m.timer.Stop() }

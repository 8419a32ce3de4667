package negative

// Kept returns how many keys are in memory, expired ones included.
func (s *Set) Kept() (n int) {
	for i := range s.shards {
		n += int(s.shards[i].size.Load())
	}
	return n
}

// Shards returns into how many shards s is divided.
func (s *Set) Shards() int { return len(s.shards) }

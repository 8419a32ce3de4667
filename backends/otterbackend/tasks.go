package otterbackend

import "sync"

// tasks runs the upkeep that otter hands out after reads and writes, each in a
// goroutine of its own, until it is closed; then on the caller's.
type tasks struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func (t *tasks) run(task func()) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		task()
		return
	}
	// Inside of the lock, so that close cannot begin to wait in between.
	t.running.Go(task)
	t.mu.Unlock()
}

// close waits for the goroutines. None is started afterwards.
func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.running.Wait()
}

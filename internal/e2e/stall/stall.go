// Package stall measures for how long a process does not run, as on a busy machine, so that a
// test of a time can allow for that much and no more:
//
//	stalled := stall.Watch(t)
//	begin := time.Now()
//	...
//	assert.Less(t, time.Since(begin), time.Second+stalled())
package stall

import (
	"sync"
	"testing"
	"time"
)

// step is how often a watch looks at the clock.
const step = 5 * time.Millisecond

// Watch measures until the test ends. The function that it returns tells for how long the process
// has not run since; it is safe for concurrent use.
func Watch(tb testing.TB) (stalled func() time.Duration) {
	tb.Helper()
	w := &watch{last: time.Now()}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(step)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.look()
			case <-end:
				return
			}
		}
	}()
	tb.Cleanup(func() {
		close(end)
		<-ended
	})
	return w.look
}

type watch struct {
	mu    sync.Mutex
	last  time.Time // of a look
	total time.Duration
}

// look adds the time by which it is late, and returns the total.
func (w *watch) look() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if late := now.Sub(w.last) - step; late > step {
		w.total += late
	}
	w.last = now
	return w.total
}

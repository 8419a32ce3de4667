package engine

import (
	"sync"
	"time"
)

// maxLate is how long the calls of a batch wait for a key while its own code is at work: a
// policy, a codec, a hook. As a rule that takes microseconds, but on a busy machine a
// goroutine may not run for tens of milliseconds. Code that hangs delays the others once, by
// up to twice as long; slower code costs the store more calls.
const maxLate = 100 * time.Millisecond

// presence says whether the others of a batch wait for a member.
type presence struct {
	mu    sync.Mutex
	calls int  // that it has handed over and that were not made yet
	moved bool // it has handed one over, or got one back, since the last look
	late  bool // the others go on without it
}

// Do hands over a call and returns when it was made.
func (m *member[V]) Do(c class, mine *call[V]) {
	m.handOver()
	defer m.getBack()
	m.Member.Do(c, mine)
}

// DoExpected is Do after Expect.
func (m *member[V]) DoExpected(c class, mine *call[V]) {
	m.handOver()
	defer m.getBack()
	m.Member.DoExpected(c, mine)
}

func (m *member[V]) handOver() {
	m.presence.mu.Lock()
	defer m.presence.mu.Unlock()
	m.presence.calls++
	m.presence.moved = true
	if m.presence.late {
		m.presence.late = false
		m.Resume() // so that its next calls are made with those of the others again
	}
}

func (m *member[V]) getBack() {
	m.presence.mu.Lock()
	defer m.presence.mu.Unlock()
	m.presence.calls--
	m.presence.moved = true
}

// look has the others go on without m if it has done nothing since the last look.
func (m *member[V]) look() {
	m.presence.mu.Lock()
	defer m.presence.mu.Unlock()
	if m.presence.calls == 0 && !m.presence.moved {
		m.presence.late = true
		m.Pause()
	}
	m.presence.moved = false
}

// watch looks at the members from time to time, until stop is called.
func (b *batch[V]) watch() (stop func()) {
	var mu sync.Mutex
	var timer *time.Timer
	members, over := b.members, false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(maxLate, func() {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		for _, m := range members {
			m.look()
		}
		timer.Reset(maxLate)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
	}
}

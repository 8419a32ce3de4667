package telemetry

import (
	"sync"
	"time"
)

// logLimit lets a number of inconsistencies per second into the logs. It counts the
// others, and has one summary of them written when the second has passed.
type logLimit struct {
	perSecond int // 0: no limit
	summarize func(held heldBack)

	mu     sync.Mutex
	timer  *time.Timer // ends the second; nil: no inconsistency since the last one
	passed int
	held   heldBack
}

// heldBack are the inconsistencies of a second that were not logged.
type heldBack struct {
	count      int64
	unresolved bool // at least one of them
}

// pass reports whether an inconsistency may be logged.
func (l *logLimit) pass(resolved bool) bool {
	if l.perSecond == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer == nil {
		l.timer = time.AfterFunc(time.Second, l.flush)
	}
	if l.passed < l.perSecond {
		l.passed++
		return true
	}
	l.held.count++
	l.held.unresolved = l.held.unresolved || !resolved
	return false
}

// flush ends the second.
func (l *logLimit) flush() {
	l.mu.Lock()
	held := l.held
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer, l.passed, l.held = nil, 0, heldBack{}
	l.mu.Unlock()
	if held.count > 0 {
		l.summarize(held)
	}
}

package ledger

import (
	"container/heap"
	"time"
)

// queue is a heap of the entries, the next attempt first. An entry that is being
// repaired is in it too, with the time at which it is tried again if nobody says otherwise.
type queue []*Entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].next.Before(q[j].next) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e, _ := x.(*Entry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = -1
	return e
}

// Take returns up to n keys whose time has come, the longest overdue first. Each is due
// again after lease, unless it is closed or put off before. Next is the time of the
// first key that is not due; zero if there is none.
func (l *Ledger) Take(now time.Time, n int, lease time.Duration) (keys []string, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(keys) < n && len(l.queue) > 0 && !l.queue[0].next.After(now) {
		e := l.queue[0]
		keys = append(keys, e.Key)
		e.next = now.Add(lease)
		heap.Fix(&l.queue, 0)
	}
	if len(l.queue) > 0 {
		next = l.queue[0].next
	}
	return keys, next
}

// PutOff sets the time of the next attempt of a key, which is not before its deadline.
// Failed says that one has failed.
func (l *Ledger) PutOff(key string, until time.Time, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byKey[key]
	if e == nil {
		return
	}
	if failed {
		e.attempts++
	}
	e.next = later(until, e.Until)
	heap.Fix(&l.queue, e.index)
}

// Extend notes that another request of a key is under way until a time.
func (l *Ledger) Extend(key string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[key]; e != nil {
		e.Until = later(e.Until, until)
		e.next = later(e.next, e.Until)
		heap.Fix(&l.queue, e.index)
	}
}

// Shorten takes an Extend back: the request is certainly not under way any more.
func (l *Ledger) Shorten(key string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[key]; e != nil {
		e.Until = until
	}
}

// Hurry makes every key due at its deadline, whatever attempts have failed before.
func (l *Ledger) Hurry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.queue {
		if e.attempts > 0 {
			e.next, e.attempts = e.Until, 0
		}
	}
	heap.Init(&l.queue)
}

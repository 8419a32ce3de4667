package keylock

import "time"

// Lock is one operation's place in the line for a key. The zero value is ready;
// it may be used again after Unlock or Done. The caller owns the memory.
type Lock struct {
	key    string
	bucket *bucket
	self   occupant // bucket.sole points to it while l is alone
	refill bool     // l is no write
	waited time.Duration

	// Guarded by bucket.mu.
	at         *entry // of the key, while l holds the lock or waits in a shared bucket
	prev, next *Lock  // in the queue of at
	news       news   // of the key in other processes

	// ready is closed when l becomes the holder. Each wait makes its own: to reuse
	// them saves a fifth of a contended acquire, but a channel that was made in one
	// synctest bubble panics in another, and tests may share a cache.
	ready chan struct{}
}

func (l *Lock) init(b *bucket, key string) {
	l.key, l.bucket, l.refill, l.waited = key, b, false, 0
	l.self = occupant{lock: l}
}

// reset drops every reference, so that a Lock that is kept keeps nothing else.
func (l *Lock) reset() { *l = Lock{} }

// Waited returns how long the holder waited for the lock, or 0 if it did not.
func (l *Lock) Waited() time.Duration { return l.waited }

// Unlock gives the lock to the next in line, and ends the operation.
func (l *Lock) Unlock() {
	b := l.bucket
	var left *occupant
	if f := l.self.fence; f != nil {
		left = &f.self // it is still raised
	}
	if b.sole.CompareAndSwap(&l.self, left) {
		l.self.fence = nil // it may be part of something large
		return
	}
	b.lock()
	b.handoff(l)
	b.leave()
	b.unlock()
	l.reset()
}

// Handoff gives the lock to the next in line. The operation stays present, so
// Close waits for it, until Done.
func (l *Lock) Handoff() {
	l.bucket.lock()
	l.bucket.handoff(l)
	l.bucket.unlock()
}

// Done ends an operation after Handoff.
func (l *Lock) Done() {
	b := l.bucket
	b.lock()
	b.leave()
	b.unlock()
	l.reset()
}

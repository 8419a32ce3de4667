package keylock

// Follower is a reader that waits for the answer that another reader of the key gets.
type Follower struct {
	ready  chan struct{}
	answer any
	next   *Follower
}

// Ready is closed when the answer is there.
func (w *Follower) Ready() <-chan struct{} { return w.ready }

// Answer returns what the other reader gave to [Fence.Answer], or nil if it has none that
// may be shared. It is called when Ready is closed.
func (w *Follower) Answer() any { return w.answer }

// Share is called by a reader before it asks. If another one asks already, and no write
// of the key has begun since that one raised its fence, the answer is as good for both,
// and Share returns a place to wait for it. Otherwise it returns nil: the reader asks, and
// calls [Fence.Answer].
//
// A reader that is alone in its bucket takes no lock. It notes that it asks before it
// looks whether it is alone, and who makes the bucket shared looks for the note after
// that: so one sees the other.
func (f *Fence) Share() *Follower {
	f.asking.Store(true)
	b := f.bucket
	if b.sole.Load() == &f.self {
		return nil
	}
	b.lock()
	defer b.unlock()
	e := f.at
	if e == nil { // f is broken
		return nil
	}
	if e.leader == nil || e.leader == f {
		e.leader = f
		return nil
	}
	f.asking.Store(false)
	w := &Follower{ready: make(chan struct{}), next: e.leader.followers}
	e.leader.followers = w
	return w
}

// Answer gives those who wait for f the answer, which is made only if there are any. From
// now on nobody waits for f.
func (f *Fence) Answer(answer func() any) {
	f.asking.Store(false)
	b := f.bucket
	if b.sole.Load() == &f.self {
		return
	}
	b.lock()
	if e := f.at; e != nil && e.leader == f {
		e.leader = nil
	}
	w := f.followers
	f.followers = nil
	b.unlock()
	if w == nil {
		return
	}
	shared := answer()
	for w != nil {
		next := w.next
		w.answer, w.next = shared, nil
		close(w.ready)
		w = next
	}
}

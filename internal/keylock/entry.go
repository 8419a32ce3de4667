package keylock

// entry is the state of one key in a shared bucket, whose mutex guards it. Every
// method but breakFences takes constant time.
type entry struct {
	key         string
	holder      *Lock  // has the lock; nil if nobody waits either
	first, last *Lock  // the waiters, a doubly linked list
	writes      int    // how many of holder and waiters are no refills
	fences      *Fence // raised and not broken, a doubly linked list
	leader      *Fence // one of them, whose reader asks for others too
	spare       *entry // in the bucket's list of unused entries
}

// add makes l the holder and reports true, or puts it at the end of the queue.
func (e *entry) add(l *Lock) (holds bool) {
	l.at = e
	if !l.refill {
		e.writes++
	}
	if e.holder == nil {
		e.holder = l
		return true
	}
	if l.prev = e.last; l.prev == nil {
		e.first = l
	} else {
		l.prev.next = l
	}
	e.last = l
	return false
}

// remove takes a waiter out of the queue, wherever it is.
func (e *entry) remove(l *Lock) {
	if l.prev == nil {
		e.first = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next == nil {
		e.last = l.prev
	} else {
		l.next.prev = l.prev
	}
	l.prev, l.next = nil, nil
	e.forget(l)
}

// next puts the first waiter, if there is one, in the holder's place, and
// returns it.
func (e *entry) next() *Lock {
	e.forget(e.holder)
	heir := e.first
	if heir != nil {
		if e.first = heir.next; e.first == nil {
			e.last = nil
		} else {
			e.first.prev = nil
		}
		heir.next = nil
	}
	e.holder = heir
	return heir
}

func (e *entry) forget(l *Lock) {
	l.at = nil
	if !l.refill {
		e.writes--
	}
}

func (e *entry) link(f *Fence) {
	if e.leader == nil && f.asking.Load() {
		e.leader = f
	}
	f.at, f.next = e, e.fences
	if f.next != nil {
		f.next.prev = f
	}
	e.fences = f
}

func (e *entry) unlink(f *Fence) {
	if e.leader == f {
		e.leader = nil
	}
	if f.prev == nil {
		e.fences = f.next
	} else {
		f.prev.next = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.at, f.prev, f.next = nil, nil, nil
}

// breakFences breaks all fences but own. It unlinks them, so that each is broken
// once, however many writes follow.
func (e *entry) breakFences(own *Fence) {
	for f := e.fences; f != nil; {
		next := f.next
		if f != own {
			f.broken.Store(true)
			e.unlink(f)
		}
		f = next
	}
}

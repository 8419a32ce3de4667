package engine

import (
	"sync"

	"github.com/tiercache/tiercache/tier"
)

// inflight counts the calls of tiers that a write has under way, and hands the write
// over: it is over when it has returned to its caller and no call goes on. Whoever
// makes that true finishes it.
//
// As long as the policy calls the tiers one by one in its own goroutine there is
// nothing to count and nothing to lock.
type inflight struct {
	// async says that calls may overlap with each other and with the return. It is
	// written before the first such call begins.
	async bool

	mu       sync.Mutex // guards all that follows, and the write's tally, if async
	open     tier.Pair[int]
	returned bool

	// concluding says that the write has returned, and is being observed: the last
	// call leaves it to the write to finish itself.
	concluding bool
	settling   bool          // no call may begin, because the return waits for those under way
	settled    chan struct{} // closed when no call is under way; made by settle
}

// begin notes that a call in another goroutine is about to begin. A later one must
// not write async again, while the first one reads it.
func (f *inflight) begin() {
	if !f.async {
		f.async = true
	}
}

func (f *inflight) lock() {
	if f.async {
		f.mu.Lock()
	}
}

func (f *inflight) unlock() {
	if f.async {
		f.mu.Unlock()
	}
}

// enter counts a call that begins. It reports false when the call is too late.
func (f *inflight) enter(id tier.ID) bool { return !f.async || f.count(id) }

func (f *inflight) count(id tier.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.returned || f.settling {
		return false
	}
	*f.open.At(id)++
	return true
}

// leave takes a call off. It is called locked.
func (f *inflight) leave(id tier.ID) {
	*f.open.At(id)--
	if f.settled != nil && f.calls() == 0 {
		close(f.settled)
		f.settled = nil
	}
}

// calls is called locked.
func (f *inflight) calls() int { return f.open.L1 + f.open.L2 }

// settle lets no call begin, and waits until none is under way. Each ends by itself.
func (f *inflight) settle() {
	f.lock()
	f.settling = true
	if f.calls() == 0 {
		f.unlock()
		return
	}
	settled := make(chan struct{})
	f.settled = settled
	f.unlock()
	<-settled
}

// reset makes f ready for another write, when nothing is under way.
func (f *inflight) reset() { f.returned, f.settling = false, false }

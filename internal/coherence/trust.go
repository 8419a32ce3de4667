package coherence

import (
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Causes for which L1 is not trusted, beside the names of the losses.
const (
	causeJoining = "joining" // the store's reader has not found its place in the log yet
	causeOverdue = "overdue" // nothing was in sync for longer than the bound
	causeClosed  = "closed"  // the machine is
	causeL1      = "l1"      // L1 did not drop an entry that another process replaced
)

// state is what a machine knows, guarded by its mutex.
type state struct {
	trusted bool
	cause   string    // for which L1 is not trusted; "": it is
	since   time.Time // when it began, or ceased, to be trusted
	first   uint32    // the number of the first epoch
	told    bool      // the loss has had its event
}

// Status is the state of a [Machine] at one instant.
type Status struct {
	Trusted bool
	Cause   string        // for which L1 is not trusted; "" if it is
	Since   time.Time     // when it began, or ceased, to be trusted
	Epoch   uint32        // the number of losses since which there was another Synced, plus 1
	Synced  time.Duration // since the instant up to which no change was missed; negative: there is none
}

// Status returns what holds now.
func (m *Machine) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checkLapse(m.now())
	s := Status{Trusted: m.trusted, Cause: m.cause, Since: m.since, Epoch: m.last.Load() - m.first + 1, Synced: -1}
	if synced := m.synced.Load(); synced != never {
		s.Synced = time.Duration(m.now() - synced)
	}
	return s
}

// monotonic reports whether t has a monotonic reading. (The time of a synctest bubble
// has none.)
func monotonic(t time.Time) bool { return t != t.Round(0) } //nolint:revive // Equal ignores it

// Synced implements [backends.Sink]. A time of the wall clock, which may be set, proves
// nothing.
func (m *Machine) Synced(asOf time.Time) {
	if monotonic(m.begun) && !monotonic(asOf) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	at := min(int64(asOf.Sub(m.begun)), now)
	if m.closed || m.locks.Unsettled() > 0 { // the next one comes soon
		return
	}
	m.checkLapse(now)
	m.epoch.Store(m.last.Load())
	if at > m.synced.Load() {
		m.synced.Store(at)
	}
	if age := now - m.synced.Load(); age <= int64(m.bound) {
		m.trust()
		m.timer.Reset(m.bound - time.Duration(age) + 1)
	}
}

// trust is called locked, and so are the methods below.
func (m *Machine) trust() {
	if m.trusted {
		return
	}
	now := time.Now()
	if m.told {
		m.emit(Event{Trusted: true, Cause: m.cause, At: now, Lasted: now.Sub(m.since)})
	}
	m.trusted, m.told, m.cause, m.since = true, false, "", now
}

// distrust begins a time without trust, or notes another cause for it. Since is when it
// began.
func (m *Machine) distrust(cause string, since time.Time) {
	if m.trusted {
		m.trusted, m.since = false, since
	}
	m.cause = cause
	if !m.told {
		m.told = true
		m.emit(Event{Cause: cause, At: time.Now()})
	}
}

// Lost implements [backends.Sink].
func (m *Machine) Lost(cause backends.Loss) { m.lose(cause, cause.String()) }

// Fail is called when L1 may hold an entry that a change has replaced, because L1 did not
// drop it.
func (m *Machine) Fail() { m.lose(backends.LossUnknown, causeL1) }

// lose raises the epoch, if it was in use: an L1 that fails for each of 5,000 changes a second
// would use up the numbers within days, and entries of long ago could be taken for those of
// now. Everything happens under the mutex: a negative that was
// remembered before must not be served after the next Synced.
func (m *Machine) lose(loss backends.Loss, cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.synced.Store(never)
	if m.epoch.Swap(0) != 0 { // otherwise no entry has got the latest one yet
		m.last.Add(1)
	}
	if !keepsVersions(loss, cause) {
		m.unique.Store(m.last.Load())
	}
	m.locks.BreakAll()
	m.target.ForgetAll()
	m.distrust(cause, time.Now())
	m.emit(Event{Gap: true, Gaps: 1, Loss: loss, Cause: cause, At: time.Now()})
}

// keepsVersions reports whether a version that was given before the loss still means the
// same change: the server is the same, or the versions after the loss are of another era.
func keepsVersions(loss backends.Loss, cause string) bool {
	switch loss {
	case backends.LossTrimmed, backends.LossDisconnected, backends.LossLogReplaced:
		return true
	default:
		return cause == causeL1
	}
}

// lapse is called when nothing was in sync for longer than the bound. Hits do not wait
// for it: they read the clock. It makes the event.
func (m *Machine) lapse() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if left := m.checkLapse(m.now()); left > 0 {
		m.timer.Reset(left)
	}
}

// checkLapse notes that the bound has passed, once, and returns how much of it is left.
func (m *Machine) checkLapse(now int64) (left time.Duration) {
	if m.closed || m.told {
		return 0
	}
	from := m.synced.Load()
	if !m.trusted {
		from = 0 // it is joining
	}
	if left = m.bound - time.Duration(now-from); left < 0 {
		m.distrust(causeOverdue, m.begun.Add(time.Duration(from)+m.bound))
		return 0
	}
	return left + 1
}

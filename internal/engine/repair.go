package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/tier"
)

// repairs are the keys whose tiers differ, and the goroutine that repairs them. There are
// two kinds:
//
//   - With coherence, L2 issues versions: the state in L2 is looked at after the deadlines
//     of all writes, and a write is made again where a version proves that nobody was
//     newer.
//   - Without, L1 drops its copy, and nothing else is safe.
type repairs[V any] struct {
	engine  *Engine[V]
	ledger  *ledger.Ledger
	clock   backends.Clocked // of L2; nil: it enforces no deadlines
	watcher backends.Watcher // nil: there is no coherence
	timeout time.Duration    // of a write
	drops   bool             // L1 drops its copy at once, under every policy

	life  context.Context //nolint:containedctx // of the goroutine, until Close
	stop  context.CancelFunc
	wake  chan struct{}
	ended chan struct{} // closed when the goroutine has ended
	calls calls         // of attempts

	resolved resolved // operations that L2 did not have

	mu       sync.Mutex
	inflight int
	ramp     int       // attempts that may be under way
	waits    time.Time // until L2 is heard of; zero: it answers
	heard    time.Time // when that was
}

// The bounds of attempts. A repair that holds up nothing but its key is let go on after
// lockWait, because a writer of the key may take long.
const (
	maxRamp     = 64
	firstPut    = 100 * time.Millisecond
	lastPut     = 10 * time.Second // where a tier refuses the repair of a key
	lockWait    = 100 * time.Millisecond
	silence     = 5 * time.Second // after which an L2 that proves nothing is tried all the same
	outage      = time.Second     // without a proof, after which all keys are tried anew
	lease       = time.Hour       // of an attempt, whose end sets the next one
	margin      = 50 * time.Millisecond
	statusLimit = 100 // keys that Status lists
)

// startRepairs begins to repair keys, if the cache is to.
func (e *Engine[V]) startRepairs(l2 any) {
	if !e.repaired() {
		return
	}
	p := &repairs[V]{
		engine: e, ledger: ledger.New(ledger.Limits{}), timeout: e.config.WriteTimeout, drops: e.config.DropDiverged,
		wake: make(chan struct{}, 1), ended: make(chan struct{}), ramp: maxRamp,
	}
	if e.config.Coherence.On && !alone(e.l2.Description()) {
		p.watcher, p.clock, p.ramp = backends.AsWatcher(l2), backends.AsClocked(l2), 1
		e.tel.Coherence().ObserveClock(p.storeTime)
	}
	e.tel.Repairs().Observe(func() ledger.Status { return p.ledger.Status(0) })
	p.life, p.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	e.repairs = p
	go p.run()
}

// repaired reports whether the cache repairs keys.
func (e *Engine[V]) repaired() bool {
	return e.config.DropDiverged || e.config.Coherence.On && !alone(e.l2.Description())
}

// run makes attempts until Close.
func (p *repairs[V]) run() {
	defer close(p.ended)
	for p.life.Err() == nil {
		var timer <-chan time.Time
		if next := p.begin(); !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-p.wake:
		case <-timer:
		case <-p.life.Done():
		}
	}
}

// begin begins the attempts that are due, as many as may be. It returns when the next one
// is; zero: somebody will wake the goroutine.
func (p *repairs[V]) begin() (next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.waits) {
		return p.waits
	}
	free := p.ramp - p.inflight
	if free <= 0 {
		return next
	}
	keys, next := p.ledger.Take(now, free, lease)
	for _, key := range keys {
		p.inflight++
		p.calls.run(func() { p.try(key) })
	}
	if len(keys) == free {
		return time.Time{} // the end of one wakes the goroutine
	}
	return next
}

// try makes one attempt, and decides on the next.
func (p *repairs[V]) try(key string) {
	end := attemptRefused
	defer func() {
		p.done(key, end)
	}()
	defer guard.Report()
	end, _ = p.attempt(p.life, key, lockWait)
}

// done notes the end of an attempt. A key whose repair a tier has refused waits longer each
// time. One that L2 has not answered is not to be blamed: there may be no other key that
// shows when L2 is well again, so it takes its turn at the next sign of it.
func (p *repairs[V]) done(key string, end attemptEnd) {
	now := time.Now()
	p.mu.Lock() // before the key is due: while L2 is waited for, nobody takes it
	p.inflight--
	switch end {
	case attemptClosed:
		p.ramp = min(maxRamp, 2*p.ramp)
	case attemptFailed:
		p.ramp, p.waits = 1, now.Add(silence)
	case attemptRefused, attemptBusy, attemptEarly:
	}
	p.mu.Unlock()
	switch end {
	case attemptRefused:
		e, _ := p.ledger.Get(key)
		p.ledger.PutOff(key, now.Add(backoff(e.Attempts())), true)
	case attemptBusy:
		p.ledger.PutOff(key, now.Add(backoff(0)), false)
	case attemptFailed, attemptEarly:
		p.ledger.PutOff(key, now, false)
	case attemptClosed:
	}
	p.poke()
}

// backoff returns a random time around one that doubles with each attempt.
func backoff(attempts int) time.Duration {
	d := min(lastPut, firstPut<<min(attempts, 10))
	return d/2 + rand.N(d) //nolint:gosec // it spreads load
}

// poke wakes the goroutine.
func (p *repairs[V]) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// synced is called when L2 answers. While it does, an attempt that hangs takes nobody's
// place.
func (p *repairs[V]) synced() {
	if p.ledger.Len() == 0 {
		return
	}
	now := time.Now()
	p.mu.Lock()
	if now.Sub(p.heard) > outage { // also for the first time
		p.ledger.Hurry()
	}
	p.heard, p.waits = now, time.Time{}
	p.ramp = max(p.ramp, min(maxRamp, p.inflight+1))
	p.mu.Unlock()
	p.poke()
}

// close ends the goroutine and waits for attempts.
func (p *repairs[V]) close(ctx context.Context) error {
	select {
	case <-p.ended:
	case <-ctx.Done():
		return fmt.Errorf("repairs are still under way: %w", backends.ContextError(ctx))
	}
	if err := p.calls.wait(ctx); err != nil {
		return fmt.Errorf("repairs are still under way: %w", err)
	}
	return nil
}

// left returns the error of keys that are open at the end, nil if there are none.
func (p *repairs[V]) left() error {
	s := p.ledger.Status(0)
	if s.Open == 0 {
		return nil
	}
	return fmt.Errorf("tiercache: close: %w: %d keys, the oldest since %v", tier.ErrDiverged, s.Open,
		time.Since(s.Oldest).Round(time.Millisecond))
}

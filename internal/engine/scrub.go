package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/ledger"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// scrubber compares the versions of L1's entries with those of L2, at a rate. It moves
// no value where they are the same.
//
// L2 may just have been changed, by a write of which this process will be told soon. So an
// entry that differs is looked at again when the bound of coherence has passed: if L1
// would still return it as fresh, it is stale.
type scrubber[V any] struct {
	repairs *repairs[V]
	walker  backends.Walker
	machine *coherence.Machine
	pause   time.Duration // between two entries
	bound   time.Duration
	doubts  []doubt
}

// doubt is an entry of L1 that differed from L2's.
type doubt struct {
	key    string
	stamp  backends.Stamp
	result telemetry.Scrubbed // if L1 has it even later
	since  time.Time
}

// maxDoubts bounds the entries that are looked at again in one pass.
const maxDoubts = 1024

// startScrubber begins to compare, if the cache is to.
func (e *Engine[V]) startScrubber(l1 any) {
	if e.config.ScrubRate <= 0 || e.co == nil {
		return
	}
	s := &scrubber[V]{
		repairs: e.repairs, walker: backends.AsWalker(l1), machine: e.co.machine,
		pause: time.Second / time.Duration(e.config.ScrubRate), bound: e.config.Coherence.Bound,
	}
	e.repairs.calls.run(func() { s.run(e.repairs.life) })
}

// run makes one pass after the other.
func (s *scrubber[V]) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.pass(ctx)
		sleep(ctx, s.bound)
		s.lookAgain(ctx)
	}
}

// pass compares all entries once.
func (s *scrubber[V]) pass(ctx context.Context) {
	defer guard.Report()
	_ = s.walker.Walk(ctx, func(key string, stamp backends.Stamp) bool {
		s.compare(ctx, key, stamp)
		sleep(ctx, s.pause)
		return ctx.Err() == nil && len(s.doubts) < maxDoubts
	})
}

// compare compares one entry, if L1 would return it as fresh.
func (s *scrubber[V]) compare(ctx context.Context, key string, stamp backends.Stamp) {
	e := s.repairs.engine
	if !coherence.Fresh(&stamp, s.machine.Trusted()) || e.opened(key) {
		return
	}
	_, answer, err := e.l2.GetIf(ctx, key, stamp.Version)
	switch {
	case err != nil:
	case answer.Version == stamp.Version:
		e.tel.Repairs().Scrubbed(telemetry.ScrubMatch)
	case answer.Version == 0:
		e.tel.Repairs().Scrubbed(telemetry.ScrubAbsent)
	case answer.Version.Covers(stamp.Version):
		s.doubts = append(s.doubts, doubt{key, stamp, telemetry.ScrubStale, time.Now()})
	default:
		s.doubts = append(s.doubts, doubt{key, stamp, telemetry.ScrubRegressed, time.Now()})
	}
}

// lookAgain decides on the entries that differed. L1 drops those that it should not have
// any more.
func (s *scrubber[V]) lookAgain(ctx context.Context) {
	e := s.repairs.engine
	defer func() { s.doubts = s.doubts[:0] }()
	defer guard.Report()
	for _, d := range s.doubts {
		epoch := s.machine.Trusted() // before L1 is asked
		_, stamp, ok, err := e.l1.GetStamped(ctx, d.key)
		if err != nil || !ok || stamp != d.stamp || !coherence.Fresh(&stamp, epoch) {
			e.tel.Repairs().Scrubbed(telemetry.ScrubLagging)
			continue
		}
		e.tel.Repairs().Scrubbed(d.result)
		s.repairs.openStale(d.key, d.since)
	}
}

// openStale opens an event for a copy of L1 that it should not have.
func (p *repairs[V]) openStale(key string, since time.Time) {
	if p.engine.opened(key) {
		return
	}
	p.ledger.Open(&ledger.Entry{Key: key, Kind: tier.Set, Cause: ledger.Stale, Since: since, Until: since})
	p.poke()
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

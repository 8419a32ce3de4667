package coherence

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// breakage is a part of the protocol that an instance lacks, so that the judge is seen to
// find the violations which that part prevents.
type breakage string

const (
	intact      breakage = ""
	noNumbers   breakage = "no numbers"   // a message that is lost is not missed
	noHeartbeat breakage = "no heartbeat" // a connection that says nothing is taken for a quiet log
	noToken     breakage = "no token"     // another server, or another log, is taken for the same one
	noFence     breakage = "no fence"     // L1 stores after the change was told that replaces the entry
)

type (
	firstTier  = otterbackend.Backend[int64]
	secondTier = backends.Coded[int64]
)

func (b breakage) tiers(l1 *firstTier, l2 *secondTier) (first, second backends.Backend[int64]) {
	switch b {
	case intact:
		return l1, l2
	case noFence:
		return &lateTier{l1}, l2
	default:
		return l1, &brokenWatcher{l2, b}
	}
}

// lateTier stores some entries a moment after it was told to.
type lateTier struct{ *firstTier }

func (t *lateTier) SetStamped(ctx context.Context, key string, entry backends.Entry[int64], stamp backends.Stamp) error {
	if rand.IntN(4) > 0 {
		return t.firstTier.SetStamped(ctx, key, entry, stamp)
	}
	time.AfterFunc(100*time.Millisecond, func() {
		_ = t.firstTier.SetStamped(context.WithoutCancel(ctx), key, entry, stamp) // it returns no errors
	})
	return nil
}

// brokenWatcher does not pass on all that the reader tells.
type brokenWatcher struct {
	*secondTier
	breakage breakage
}

func (w *brokenWatcher) Watch(ctx context.Context, sink backends.Sink) error {
	s := &brokenSink{sink, w.breakage}
	if w.breakage == noHeartbeat {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		defer func() { cancel(); <-done }()
		go func() {
			defer close(done)
			for pause(ctx, bound/10) {
				sink.Synced(time.Now())
			}
		}()
		return w.secondTier.Watch(ctx, s)
	}
	return w.secondTier.Watch(ctx, s)
}

type brokenSink struct {
	backends.Sink
	breakage breakage
}

func (s *brokenSink) Changed(changes []backends.Change) {
	if s.breakage == noNumbers && rand.IntN(8) == 0 {
		return
	}
	s.Sink.Changed(changes)
}

func (s *brokenSink) Lost(cause backends.Loss) {
	if s.breakage != noToken {
		s.Sink.Lost(cause)
	}
}

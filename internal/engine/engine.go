package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/internal/flight"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/internal/negative"
	"github.com/tiercache/tiercache/internal/readplan"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// maxNegatives bounds the keys that are remembered as not found.
const maxNegatives = 10_000

// refreshBackoff is the time for which a refresh is not repeated after it has failed.
const refreshBackoff = time.Second

// Engine is a cache of two tiers. It is safe for concurrent use.
type Engine[V any] struct {
	config     Config
	policyName string
	l1, l2     *guard.Tier[V]
	tel        *telemetry.Telemetry
	locks      *keylock.Table
	lifetime   lifetime
	reads      readplan.Plan
	fast       fastPath
	observers  observers
	flights    *flight.Group[load[V]]
	negatives  *negative.Set
	closed     atomic.Bool
	loads      atomic.Int64 // under way
	loaders    loaders[V]

	failedRefreshes *negative.Set        // keys that are not refreshed for a while
	decidedTTLs     notes[time.Duration] // of values whose loaders have set one
	kept            notes[keptNote]      // of values that L2 did not take

	life context.Context // ends when Close is called
	end  context.CancelCauseFunc

	stages   bool // a tier prepares its writes
	rewrites bool // entries in L1 differ from those in L2
	trusted  bool // the policy is one of this module, so its writes are recycled
	observed bool // spans or metrics are on
	sharesL2 bool // reads of a key share the call of L2

	co      *coherent[V] // nil: no other process matters
	repairs *repairs[V]  // nil: nobody repairs

	sources sources[V]
	keep    time.Duration // of versions in L2, after an entry has gone

	direct tier.Pair[backends.Backend[V]] // that Set may call without the policy; nil: none

	goroutines calls // that may outlast their operation

	writePool sync.Pool // of *write[V]
	readPool  sync.Pool // of *read[V]
	sparePool sync.Pool // of *spareReads[V]
}

// fastPath is the way in which a read asks L1 before it is set up.
type fastPath uint8

const (
	fastNone  fastPath = iota // not at all
	fastEntry                 // for the whole entry
	fastValue                 // for the value alone (budget Get/hit=l1)
	fastStamp                 // for the value and its stamp
)

// New returns an engine. Errors are those of a meter provider, and panics of code that
// describes the backends and policies.
func New[V any](cfg Config, l1, l2 backends.Backend[V]) (e *Engine[V], err error) {
	defer func() {
		if p, ok := err.(*backends.PanicError); ok { //nolint:errorlint // the one of Catch, and no provider's
			e, err = nil, panickedInNew(p, l1, l2)
		}
	}()
	defer guard.Catch(&err)
	cfg = cfg.withinACentury()
	timeouts := guard.Timeouts{Read: cfg.ReadTimeout, Write: cfg.WriteTimeout}
	e = &Engine[V]{
		config:     cfg,
		policyName: strings.ToValidUTF8(writepolicy.NameOf(cfg.WritePolicy), "\uFFFD"),
		l1:         guard.NewTier(tier.L1, l1, timeouts, cfg.Certain),
		l2:         guard.NewTier(tier.L2, l2, timeouts, cfg.Certain),
		locks:      keylock.NewTable(),
		lifetime:   lifetime{l1TTL: cfg.L1TTL, jitter: cfg.L1Jitter, staleFor: cfg.StaleIfError, ahead: cfg.RefreshAhead, refill: cfg.MaxRefillTTL},
		reads:      cfg.ReadPolicy.Plan(),
		flights:    flight.New[load[V]](),
		loaders:    loaders[V]{group: flight.New[loaderCall[V]]()},
		negatives:  negative.New(cfg.NegativeTTL, maxNegatives),
		keep:       max(backends.DefaultKeep, 2*cfg.WriteTimeout),
	}
	if err := cmp.Or(e.checkL1IsUsed(), e.checkConditionalLoads(), e.takeSources(cfg)); err != nil {
		return nil, err
	}
	if err := e.checkBackends(l1, l2); err != nil {
		return nil, err
	}
	e.life, e.end = context.WithCancelCause(context.Background())
	if cfg.RefreshAhead > 0 {
		e.failedRefreshes = negative.New(refreshBackoff, maxNegatives)
	}
	if e.tel, err = telemetry.New(e.target(), cfg.Telemetry); err != nil {
		return nil, err
	}
	e.observed = e.tel.Enabled()
	e.sharesL2 = !e.l2.Description().InProcess
	e.stages = e.l1.Stages() || e.l2.Stages()
	e.rewrites = e.lifetime.rewrites() || cfg.KeepLoaded > 0
	_, e.trusted = cfg.WritePolicy.(builtin.Marked)
	e.startRepairs(l2)
	e.startCoherence(l2)
	e.startScrubber(l1)
	e.fast = e.fastPath()
	e.direct = e.directTiers()
	e.observe()
	return e, nil
}

// checkBackends returns the error of two backends that do not go together.
func (e *Engine[V]) checkBackends(l1, l2 backends.Backend[V]) error {
	first, second := e.l1.Description(), e.l2.Description()
	if err := checkTiers(l1, l2, first, second); err != nil || !e.config.Coherence.On {
		return err
	}
	return checkCoherence(e.config.Coherence, l1, l2, first, second)
}

// target describes the cache to its telemetry.
func (e *Engine[V]) target() telemetry.Target {
	return telemetry.Target{
		Cache:       e.config.Name,
		WritePolicy: e.policyName,
		ReadPolicy:  e.config.ReadPolicy.Name(),
		Tiers:       tier.Pair[backends.Description]{L1: e.l1.Description(), L2: e.l2.Description()},
		Coherent:    e.config.Coherence.On && !alone(e.l2.Description()),
		Repairs:     e.repaired(),
	}
}

// fastPath returns the way for reads of this engine.
func (e *Engine[V]) fastPath() fastPath {
	switch {
	case e.reads.Concurrent || !e.l1.Description().InProcess || e.config.L1HitSpans:
		return fastNone
	case e.config.StaleIfError != 0 || e.config.RefreshAhead != 0 || e.config.KeepLoaded != 0:
		return fastEntry
	case e.co != nil:
		return fastStamp
	default:
		return fastValue
	}
}

// Closed reports whether Close was called.
func (e *Engine[V]) Closed() bool { return e.closed.Load() }

// Name returns the name of the cache in telemetry.
func (e *Engine[V]) Name() string { return e.config.Name }

// Stats returns the counts of the cache since it was made.
func (e *Engine[V]) Stats() telemetry.Stats { return e.tel.Stats() }

// Describe describes the cache as a backend of another cache.
func (e *Engine[V]) Describe() backends.Description {
	return backends.Description{
		InProcess:    e.l1.Description().InProcess && e.l2.Description().InProcess,
		Instrumented: true, // its calls have spans of their own
	}
}

// Close lets no more operations in and waits for those under way, until ctx ends. It
// does not wait for the operation that it is called in.
func (e *Engine[V]) Close(ctx context.Context) error {
	if ctx == nil {
		return ErrNilContext
	}
	e.closed.Store(true)
	e.end(tier.ErrClosed) // of loads that nobody waits for
	if e.repairs != nil {
		e.repairs.stop()
	}
	if e.co != nil {
		e.co.stop()
	}
	if e.within(ctx) {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		cancel(errCloseWithin)
	}
	if err := e.wait(ctx); err != nil {
		return fmt.Errorf("tiercache: close: %w", err)
	}
	e.l1.Release()
	e.l2.Release()
	if e.repairs != nil {
		return errors.Join(e.repairs.left(), e.tel.Close(ctx))
	}
	return e.tel.Close(ctx)
}

// wait waits for all that goes on in the cache, until ctx ends.
func (e *Engine[V]) wait(ctx context.Context) error {
	if err := e.locks.Close(ctx); err != nil {
		return err
	}
	if err := e.goroutines.wait(ctx); err != nil {
		return err
	}
	if e.co != nil {
		if err := e.co.close(ctx); err != nil {
			return err
		}
	}
	if e.repairs != nil {
		return e.repairs.close(ctx)
	}
	return nil
}

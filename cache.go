package tiercache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/internal/turn"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// Cache is a cache of two tiers. Use [New]. It is safe for concurrent use.
type Cache[V any] struct {
	config
	name       string
	policyName string
	l1, l2     tier[V]
	tel        *tracing.Telemetry
	turns      *turn.Table
	closed     atomic.Bool
	stages     bool // a tier prepares its writes
	adjusts    bool // entries are not in L1 as they are in L2
	prepares   bool // either of the two
	l1First    bool // reads ask L1 first, and L2 only when it has no value
	l1Alone    bool // and L1 is asked before a read is set up
	l1Plain    bool // and nothing but the value of a hit in L1 is wanted
	flights    flights[V]
	negatives  *negatives

	// calls are goroutines in which policies had tiers called, to their very end.
	// All that is left of them, when no operation is under way, is the callback of
	// the policy.
	calls sync.WaitGroup

	// writes are recycled only when the policy is known not to keep its tiers.
	recycle bool
	writes  sync.Pool // of *write[V]
	spare   sync.Pool // of *read[V], recycled when no policy was asked
}

// New returns a cache of two tiers. The name is that of the cache in telemetry,
// for instance "users"; it must not be empty. L1 should be in the process, and
// its entries are private to it; L2 is shared or persistent.
//
// The cache does not own its backends: Close does not close them. They must not
// be written by others while the cache uses them, or the tiers differ unseen.
//
// Without options, the policy is [writepolicy.Sequential] and telemetry goes to
// the global providers. Errors wrap [ErrInvalid], or are those of a meter
// provider.
func New[V any](name string, l1, l2 backends.Backend[V], opts ...Option) (*Cache[V], error) {
	switch {
	case name == "":
		return nil, fmt.Errorf("%w: the cache's name is empty: it names spans and metrics", ErrInvalid)
	case l1 == nil:
		return nil, fmt.Errorf("%w: l1 is nil: pass a backend", ErrInvalid)
	case l2 == nil:
		return nil, fmt.Errorf("%w: l2 is nil: pass a backend", ErrInvalid)
	}
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	c := &Cache[V]{
		config:     cfg,
		name:       name,
		policyName: writepolicy.NameOf(cfg.policy),
		l1:         newTier(l1, cfg.writeTimeout),
		l2:         newTier(l2, cfg.writeTimeout),
		turns:      turn.NewTable(),
	}
	c.stages = c.l1.stager != nil || c.l2.stager != nil
	c.tel, err = tracing.New(tracing.Target{
		Cache:  name,
		Policy: c.policyName,
		Reads:  readpolicy.NameOf(cfg.reads),
		L1:     c.l1.desc,
		L2:     c.l2.desc,
	}, cfg.telemetry...)
	if err != nil {
		return nil, fmt.Errorf("tiercache: %w", err)
	}
	_, c.recycle = cfg.policy.(builtin.Marked)
	_, c.l1First = cfg.reads.(builtin.AsksL1First)
	c.l1Alone = c.l1First && c.l1.desc.InProcess && !cfg.traceL1Hits
	c.l1Plain = c.l1Alone && cfg.staleIfError == 0 && cfg.refreshAhead == 0
	c.adjusts = cfg.l1TTL > 0 || cfg.staleIfError > 0
	c.prepares = c.stages || c.adjusts
	c.negatives = newNegatives(cfg.negativeTTL)
	return c, nil
}

// Set stores value at key in both tiers, as the policy says. It lives for ttl, or
// for ever when ttl is 0. Both tiers may keep value, so what it points to must
// not be modified afterwards.
//
// The context is honoured until the first tier is touched: while the write waits
// for others of the same key, it can be called off, and the error says that
// neither tier was changed. From then on the write runs to its end, whatever
// becomes of the context, so that no tier is left behind; see
// [WithWriteTimeout].
//
// The error is a [*writepolicy.Error] that says what became of each tier. A key
// that is empty, or a negative ttl, is an error that wraps [ErrInvalid].
func (c *Cache[V]) Set(ctx context.Context, key string, value V, ttl time.Duration) error {
	if key == "" {
		return errEmptyKey()
	}
	if ttl < 0 {
		return errNegativeTTL(ttl)
	}
	w := c.newWrite(writepolicy.Set, key)
	w.entry.Value = value
	if ttl > 0 {
		w.entry.ExpiresAt = expiry(ttl)
	}
	return w.do(ctx)
}

// Delete removes key from both tiers, as the policy says. What is said of Set
// about the context and the error holds here too. It returns nil only if no
// tier has a copy left.
func (c *Cache[V]) Delete(ctx context.Context, key string) error {
	if key == "" {
		return errEmptyKey()
	}
	return c.newWrite(writepolicy.Delete, key).do(ctx)
}

// Close lets no more operations in, and waits until all that have begun are done:
// writes, detached ones and hooks included, and reads beyond L1, with their loaders
// and the losers of races. When ctx ends first, it returns an error that wraps the
// cause and says how many are still under way. It may be called again, to go on
// waiting. It does not close the backends.
func (c *Cache[V]) Close(ctx context.Context) error {
	c.closed.Store(true)
	if err := c.turns.Close(ctx); err != nil {
		return fmt.Errorf("tiercache: close: %w", err)
	}
	c.calls.Wait()
	c.l1.limits.release()
	c.l2.limits.release()
	return nil
}

// expiry is the end of a life that begins now. It has no monotonic reading, which
// would not survive in L2: the tiers would disagree after the clock was set.
func expiry(ttl time.Duration) time.Time { return time.Now().Add(ttl).Round(0) }

func errEmptyKey() error {
	return fmt.Errorf("%w: the key is empty", ErrInvalid)
}

func errNegativeTTL(ttl time.Duration) error {
	return fmt.Errorf("%w: the TTL is negative (%v): use 0 for an entry that does not expire", ErrInvalid, ttl)
}

// closedErr translates the error of waiting for a turn.
func closedErr(err error) error {
	if errors.Is(err, turn.ErrClosed) {
		return ErrClosed
	}
	return fmt.Errorf("waiting for the key's turn: %w", err)
}

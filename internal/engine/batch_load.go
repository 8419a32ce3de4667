package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/gather"
	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/internal/telemetry"
	"github.com/tiercache/tiercache/tier"
)

// BatchLoader returns the values of keys from their source. A key that has no value is
// not in the map.
type BatchLoader[V any] func(ctx context.Context, keys []string) (map[string]V, error)

// single returns a loader of one key, for a refresh that no batch waits for.
func (load BatchLoader[V]) single(ctx context.Context, key string) (value V, err error) {
	values, err := load(ctx, []string{key})
	if err != nil {
		return value, err
	}
	value, ok := values[key]
	if !ok {
		return value, backends.ErrNotFound
	}
	return value, nil
}

// GetOrLoadMany returns the values of the keys, in their order, from the tiers or from
// the loader, which is called once for those that the tiers do not have, of [maxMembers].
func (e *Engine[V]) GetOrLoadMany(ctx context.Context, keys []string, ttl time.Duration, load BatchLoader[V]) (values []Found[V], err error) {
	values = make([]Found[V], len(keys))
	b := &batch[V]{engine: e, loader: load}
	switch {
	case ctx == nil:
		return values, ErrNilContext
	case ttl < 0:
		return values, NegativeTTLError(ttl)
	case load == nil:
		return values, errNilLoader
	}
	ctx = b.begin(ctx, tier.Get, len(keys))
	err = guard.ErrExited
	defer func() { b.obs.Returned(ctx, len(b.failed), false, err) }()
	for next := 0; next < len(keys); {
		next = b.loadPart(ctx, keys, next, ttl, values)
	}
	err = b.error(tier.Load, len(keys))
	return values, err
}

// loadPart gets the values of keys from an index on, of as many as the members of a group
// may be. It returns the index of the next key.
func (b *batch[V]) loadPart(ctx context.Context, keys []string, from int, ttl time.Duration, values []Found[V]) (next int) {
	b.group, b.members = gather.New(b.make), nil
	defer b.group.Begin() // even if L1 ends the goroutine between two keys
	p := new(part)
	p.flights.Store(1)
	var wg sync.WaitGroup
	for next = from; next < len(keys) && len(b.members) < maxMembers; next++ {
		key, got := keys[next], &values[next]
		if err := b.engine.check(ctx, key); err != nil {
			b.fail(next, err)
			continue
		}
		l1, hit := b.lookupL1(ctx, key, ttl)
		if hit {
			*got = Found[V]{Value: l1.entry.Value, OK: true}
			continue
		}
		how := params[V]{loader: b.loader.single, ttl: ttl, member: b.join(next)}
		how.member.part = p
		wg.Go(func() { b.getOrLoad(ctx, key, how, l1, got) })
	}
	b.group.Begin()
	p.unwatch = b.watch()
	wg.Wait()
	p.ended()
	return next
}

// part is the flights of one group of a batch of loads, which may go on when the batch has returned.
type part struct {
	flights atomic.Int32 // under way, and 1 for the batch itself
	unwatch func()       // is called when none is left
}

// ended is called when a flight has landed, and when the batch goes on.
func (p *part) ended() {
	if p.flights.Add(-1) == 0 {
		p.unwatch()
	}
}

// getOrLoad is GetOrLoad for one member that L1 has not answered.
func (b *batch[V]) getOrLoad(ctx context.Context, key string, p params[V], l1 found[V], got *Found[V]) {
	var value V
	err := guard.ErrExited
	defer func() {
		if p.member.waiter == nil { // otherwise it is that of a flight, which may outlast its callers
			p.member.Leave()
		}
		if !errors.Is(err, backends.ErrNotFound) {
			b.fail(p.member.index, err)
		}
		*got = Found[V]{Value: value, OK: err == nil}
	}()
	value, err = b.engine.share(ctx, key, p, l1)
}

// lookupL1 asks L1 where a single load would before it is set up.
func (b *batch[V]) lookupL1(ctx context.Context, key string, ttl time.Duration) (l1 found[V], hit bool) {
	e := b.engine
	if !e.asksL1First(0) {
		return l1, false
	}
	l1 = e.lookupL1(ctx, key)
	if l1.hit {
		e.countHit(&l1)
		e.refreshIfDue(ctx, key, e.ttlOf(l1.kept, ttl), l1.entry.ExpiresAt, b.loader.single)
		return l1, true
	}
	e.tel.Count(tier.L1, l1.lookup())
	return l1, false
}

// load calls the loader together with the other members.
func (m *member[V]) load(ctx context.Context, l *load[V]) (V, error) {
	mine := m.newCall(l.read.key)
	mine.ctx, mine.err = ctx, &tier.LoadError{Err: guard.ErrExited, Text: guard.ErrExited.Error()}
	m.Do(class{kind: tier.Load}, mine)
	return mine.value, mine.err
}

// load calls the loader for all calls. Its context ends when those of all loads have: other
// callers may wait for one of them, and do not leave with the caller of the batch.
func (b *batch[V]) load(calls []*call[V]) {
	ctx, end := b.linked(calls)
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keys := make([]string, len(calls))
	left := newCountdown(len(calls), cancel)
	ends := make([]func() bool, len(calls))
	for i, c := range calls {
		keys[i] = c.key
		ends[i] = context.AfterFunc(c.ctx, func() { left.one(backends.ContextError(c.ctx)) })
	}
	defer func() {
		for _, stop := range ends {
			stop()
		}
	}()
	values, err := b.callLoader(ctx, keys)
	for _, c := range calls {
		value, ok := values[c.key]
		switch {
		case err != nil:
			c.err = err
		case !ok:
			c.err = &tier.LoadError{Err: backends.ErrNotFound, Text: backends.ErrNotFound.Error()}
		default:
			c.value, c.err = value, nil
		}
	}
}

// countdown cancels a context when all of its parts have ended.
type countdown struct {
	mu     sync.Mutex
	open   int
	cancel context.CancelCauseFunc
}

func newCountdown(n int, cancel context.CancelCauseFunc) *countdown {
	return &countdown{open: n, cancel: cancel}
}

func (c *countdown) one(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if c.open == 0 {
		c.cancel(cause)
	}
}

// callLoader calls the loader, observed.
func (b *batch[V]) callLoader(ctx context.Context, keys []string) (values map[string]V, err error) {
	var obs telemetry.Load
	ctx = b.obs.StartLoad(ctx, &obs, len(keys))
	err = guard.ErrExited
	defer func() {
		if err != nil {
			err = b.loadError(err, keys)
		}
		obs.Returned(ctx, err)
	}()
	return b.guarded(ctx, keys)
}

func (b *batch[V]) guarded(ctx context.Context, keys []string) (values map[string]V, err error) {
	defer guard.Catch(&err)
	own := slices.Clone(keys)                                             // it may change them
	values, err = b.loader(&loaderContext{Context: ctx, over: true}, own) //nolint:contextcheck // it is made of ctx, and no TTL can be set in it
	if notFound := b.engine.config.NotFound; err != nil && notFound != nil && notFound(err) {
		return nil, nil
	}
	return values, err
}

// loadError returns the error of a loader. Its text quotes none of the keys.
func (b *batch[V]) loadError(err error, keys []string) error {
	text, readable := guard.Readable(err, "")
	for _, key := range keys {
		text = guard.RedactText(text, key)
	}
	return &tier.LoadError{Err: readable, Text: text}
}

package tiercache

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// Get returns the value at key; ok is false when neither tier has one. By
// default it asks L1, then L2, and L1 gets what L2 had, unless a newer write of
// the key has begun in the meantime. The value may be shared, so what it points
// to must not be modified.
//
// An error of one tier does not hide the value of the other. When neither has
// the value, the error wraps those of the tiers, which are
// [*writepolicy.TierError]s. An empty key is an error that wraps [ErrInvalid].
func (c *Cache[V]) Get(ctx context.Context, key string) (value V, ok bool, err error) {
	if !c.l1Plain || key == "" || c.closed.Load() {
		entry, ok, err := c.getEntry(ctx, key)
		return entry.Value, ok, err
	}
	value, ok, err = c.l1.value(ctx, key)
	if ok && err == nil {
		c.tel.Count(writepolicy.L1, tracing.LookupHit)
		return value, true, nil
	}
	return c.getBeyond(ctx, key, err)
}

func (c *Cache[V]) getBeyond(ctx context.Context, key string, err1 error) (value V, ok bool, err error) {
	c.tel.Count(writepolicy.L1, inVain(err1))
	entry, ok, err := c.read(ctx, key, asked{yes: true, err: err1})
	return entry.Value, ok, err
}

// asked says whether L1 was asked, in vain, before a read is set up, and with
// which error.
type asked struct {
	yes bool
	err error
}

func inVain(err error) tracing.Lookup {
	if err != nil {
		return tracing.LookupError
	}
	return tracing.LookupMiss
}

func (c *Cache[V]) getEntry(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	if key == "" {
		return entry, false, errEmptyKey()
	}
	if c.closed.Load() {
		return entry, false, ErrClosed
	}
	var l1 asked
	if c.l1Alone {
		if entry, ok, l1 = c.entryOfL1(ctx, key); ok {
			return entry, true, nil
		}
	}
	return c.read(ctx, key, l1)
}

// entryOfL1 asks L1 alone, and counts what it finds.
func (c *Cache[V]) entryOfL1(ctx context.Context, key string) (entry backends.Entry[V], hit bool, l1 asked) {
	entry, ok, err := c.l1.get(ctx, key)
	if err == nil && ok && c.fresh(&entry) {
		c.tel.Count(writepolicy.L1, tracing.LookupHit)
		return entry, true, asked{}
	}
	c.tel.Count(writepolicy.L1, inVain(err))
	return backends.Entry[V]{}, false, asked{yes: true, err: err}
}

// fresh reports whether the life of an entry in L1 has not ended, and takes off
// the time for which it is kept as a stale one.
func (c *Cache[V]) fresh(e *backends.Entry[V]) bool {
	if c.staleIfError == 0 || e.ExpiresAt.IsZero() {
		return true // otherwise the backend would have let go of it
	}
	e.ExpiresAt = e.ExpiresAt.Add(-c.staleIfError)
	return !e.Expired(time.Now())
}

// read is a read that goes beyond L1, observed.
func (c *Cache[V]) read(ctx context.Context, key string, l1 asked) (entry backends.Entry[V], ok bool, err error) {
	r := c.newRead(key)
	ctx = c.tel.StartRead(ctx, &r.obs, key)
	a := tracing.Answer{Found: tracing.LookupError}
	if err = r.begin(); err == nil {
		entry, a, err = r.run(ctx, l1)
		r.done()
	}
	r.obs.Answered(ctx, a, err)
	if l1.yes {
		r.free() // no policy has seen it
	}
	return entry, a.Found == tracing.LookupHit, err
}

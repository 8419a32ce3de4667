package engine

import "context"

// linked returns a context for a call that is made for many keys, by which the cache knows
// a call of its own that would wait for one of them: each key of a write is locked, and
// each load waits. End says that the call is over.
func (b *batch[V]) linked(calls []*call[V]) (ctx context.Context, end func()) {
	l := &link{Context: b.ctx, cache: b.engine.locks, read: true}
	for _, c := range calls {
		c.linkTo(l)
	}
	return l, func() {
		l.over.Store(true)
		for _, c := range calls {
			c.waiter.done(l.flight)
		}
	}
}

// linkTo makes c one of the calls of l.
func (c *call[V]) linkTo(l *link) {
	if c.write != nil {
		l.keys = append(l.keys, c.key)
	}
	if c.waiter == nil {
		return
	}
	if l.flight == nil {
		l.flight = new(waiter)
	}
	c.waiter.wait(l.flight)
}

// newCall returns the part of m in a call.
func (m *member[V]) newCall(key string) *call[V] {
	return &call[V]{index: m.index, key: key, waiter: m.waiter}
}

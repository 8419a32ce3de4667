package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tiercache/tiercache/tier"
)

// loaderContext is the context of one call of a loader, which may set the TTL of its
// value there.
type loaderContext struct {
	context.Context

	mu   sync.Mutex // the loader may have goroutines of its own
	ttl  time.Duration
	over bool // the loader has returned
}

// loaderKey is the key of the innermost loaderContext in a context.
type loaderKey struct{}

var errNoLoader = fmt.Errorf("%w: SetTTL needs the context that a loader was given, before the loader returns", tier.ErrInvalid)

func (c *loaderContext) Value(key any) any {
	if _, ok := key.(loaderKey); ok {
		return c
	}
	return c.Context.Value(key)
}

// SetTTL sets the TTL of the value that the loader whose context is given will return.
func SetTTL(ctx context.Context, ttl time.Duration) error {
	var c *loaderContext
	if ctx != nil {
		c, _ = ctx.Value(loaderKey{}).(*loaderContext)
	}
	if c == nil {
		return errNoLoader
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return errNoLoader
	}
	c.ttl = ttl // a negative one too: a loader that drops the error fails
	return c.check()
}

// check is called locked.
func (c *loaderContext) check() error {
	if c.ttl < 0 {
		return fmt.Errorf("%w: the loader set a negative TTL (%v): use 0 for that of GetOrLoad", tier.ErrInvalid, c.ttl)
	}
	return nil
}

// end returns the TTL; 0: that of GetOrLoad. It is called when the loader has returned.
func (c *loaderContext) end() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	return c.ttl, c.check()
}

// noteTTL remembers the TTL that the loader has set, so that a refresh ahead is due in a
// part of that one, and not of GetOrLoad's.
func (l *load[V]) noteTTL() {
	e := l.read.engine
	if e.config.RefreshAhead == 0 || l.decided == 0 {
		return // the write has dropped an older note
	}
	if !e.decidedTTLs.put(l.read.key, l.decided, time.Now().Add(l.decided)) {
		e.failedRefreshes.Add(l.read.key) // not at every hit at least
	}
}

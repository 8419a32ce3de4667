package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
)

// calls counts the goroutines that [policyTier.Go] starts. When no operation is under way,
// only a policy's done callback can still run in them. A WaitGroup would do, if it could
// be waited for until a context ends.
type calls struct {
	open    atomic.Int64
	waiting atomic.Bool

	mu    sync.Mutex
	ended chan struct{} // made by wait, closed when none is open
}

// run calls f in a goroutine.
func (c *calls) run(f func()) {
	c.open.Add(1)
	go func() {
		defer c.end()
		f()
	}()
}

func (c *calls) end() {
	if c.open.Add(-1) > 0 || !c.waiting.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		close(c.ended)
		c.ended = nil
	}
}

// wait waits until none is open, or until ctx ends.
func (c *calls) wait(ctx context.Context) error {
	c.waiting.Store(true)
	for {
		c.mu.Lock()
		open := c.open.Load() // after waiting is set: whoever ends the last one now sees it
		if open == 0 {
			c.mu.Unlock()
			return nil
		}
		if c.ended == nil {
			c.ended = make(chan struct{})
		}
		ended := c.ended
		c.mu.Unlock()
		select {
		case <-ended:
		case <-ctx.Done():
			return fmt.Errorf("callbacks of a policy still under way: %d: %w", open, backends.ContextError(ctx))
		}
	}
}

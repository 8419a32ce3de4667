package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
)

// calls counts the goroutines that may outlast the operation which starts them: those of
// [policyTier.Go], in which a policy's done callback can still run, and those of loaders
// that several loads share. A WaitGroup would do, if it could be waited for until a context
// ends.
type calls struct {
	open    atomic.Int64
	waiting atomic.Bool

	mu    sync.Mutex
	ended chan struct{} // made by wait, closed when none is open
}

// run calls f in a goroutine.
func (c *calls) run(f func()) {
	c.begin()
	go func() {
		defer c.end()
		f()
	}()
}

// begin is called before a goroutine starts, and end when it ends.
func (c *calls) begin() { c.open.Add(1) }

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
			return fmt.Errorf("callbacks of a policy, or loaders, still under way: %d: %w", open, backends.ContextError(ctx))
		}
	}
}

package flight

import (
	"context"
	"errors"
	"time"
)

// runContext is the context of a run. It has the deadline of the callers, which may
// become later, and says whether a deadline has ended it.
type runContext[T any] struct {
	context.Context // ends when all callers have left
	flight          *Flight[T]
}

// Deadline returns the latest of the callers' deadlines.
func (c *runContext[T]) Deadline() (deadline time.Time, ok bool) {
	c.flight.mu.Lock()
	defer c.flight.mu.Unlock()
	return c.flight.deadline, !c.flight.deadline.IsZero()
}

// Err returns context.DeadlineExceeded where the last caller left at its deadline. The
// inner context returns context.Canceled, because a cancellation tells it so.
func (c *runContext[T]) Err() error {
	err := c.Context.Err()
	if err != nil && errors.Is(context.Cause(c.Context), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

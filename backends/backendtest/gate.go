package backendtest

import (
	"context"
	"sync"

	"github.com/tiercache/tiercache/backends"
)

// Gate holds calls at a named point until it is opened. Once open it stays open.
// It is safe for concurrent use.
type Gate struct {
	arrive  sync.Once
	arrived chan struct{}
	unlock  sync.Once
	open    chan struct{}
}

// NewGate returns a closed Gate.
func NewGate() *Gate {
	return &Gate{arrived: make(chan struct{}), open: make(chan struct{})}
}

// Before is a [Fault] that holds a call before it touches the store.
func (g *Gate) Before() Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		if err := g.pass(ctx); err != nil {
			return err
		}
		return apply(ctx)
	}
}

// After is a [Fault] that holds a call after it was made and before its answer.
func (g *Gate) After() Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		if err := apply(ctx); err != nil {
			return err
		}
		return g.pass(ctx)
	}
}

// Arrived returns a channel that is closed when the first call has come to the
// gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets all calls pass, those that wait and those to come.
func (g *Gate) Open() { g.unlock.Do(func() { close(g.open) }) }

func (g *Gate) pass(ctx context.Context) error {
	g.arrive.Do(func() { close(g.arrived) })
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

package engine

import (
	"context"

	"github.com/tiercache/tiercache/internal/keylock"
)

// pausing returns a context for waiting for a lock. Meanwhile the others of a batch do not
// wait for m, which may be nil, nor for a member whose policy or hook makes the call: the
// lock may be that of another key of its batch.
func (m *member[V]) pausing(ctx context.Context) context.Context {
	all := pausersOf(ctx)
	if m != nil {
		all = append(all, m)
	}
	if len(all) == 0 {
		return ctx
	}
	return &pausing{ctx, all}
}

type pausers []keylock.Pauser

// pausersOf returns the members of batches that run the code that has got ctx.
func pausersOf(ctx context.Context) (all pausers) {
	for l := range chain(ctx) {
		if l.member != nil {
			all = append(all, l.member)
		}
	}
	return all
}

// Pause implements [keylock.Pauser].
func (all pausers) Pause() {
	for _, p := range all {
		p.Pause()
	}
}

// Resume implements [keylock.Pauser].
func (all pausers) Resume() {
	for _, p := range all {
		p.Resume()
	}
}

type pausing struct {
	context.Context
	pausers
}

// pause is Pause, and resume is Resume; m may be nil.
func (m *member[V]) pause() {
	if m != nil {
		m.Pause()
	}
}

func (m *member[V]) resume() {
	if m != nil {
		m.Resume()
	}
}

package backendtest

import (
	"context"
	"sync"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Faults is a [backends.Backend] that passes calls to another one, except for
// those that a [Fault] was asked for. It is safe for concurrent use.
//
// The kinds of its calls are [tier.Get], [tier.Set], [tier.Delete], and
// [tier.Stage] for that of a [backends.Stager]. A cache invalidates a tier by a
// Delete and refills it by a Set; no call has another kind. The calls of the optional
// interfaces count as those of the same effect: GetIf as Get, and a Write as Set or
// Delete. A batch is one call, see [Faults.NextAt].
type Faults[V any] struct {
	next     backends.Backend[V]
	optional backends.Optional[V] // of next
	desc     backends.Description

	mu     sync.Mutex
	queued [tier.Kinds][]Fault
	at     [tier.Kinds][]Fault // of the elements of the next batch
	always [tier.Kinds]Fault
	made   [tier.Kinds]int
}

var (
	_ backends.Backend[any] = (*Faults[any])(nil)
	_ backends.Stager[any]  = (*Faults[any])(nil)
	_ backends.Describer    = (*Faults[any])(nil)
)

// WithFaults returns a Faults over next with no faults yet.
func WithFaults[V any](next backends.Backend[V]) *Faults[V] {
	return &Faults[V]{next: next, optional: backends.OptionalOf(next), desc: backends.DescriptionOf(next)}
}

// Described makes f describe itself as desc, for instance as a remote store, and
// returns f. The abilities are those of desc: without any, f is a plain backend to a
// cache. Call it before f is used.
func (f *Faults[V]) Described(desc backends.Description) *Faults[V] {
	f.desc = desc
	return f
}

// Next queues faults for the coming calls, one for each. A nil Fault lets its
// call pass.
func (f *Faults[V]) Next(kind tier.Kind, faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queued[kind] = append(f.queued[kind], faults...)
}

// Always gives fault to all calls for which none is queued, until [Faults.Clear]
// or the next Always. Nil lets them pass.
func (f *Faults[V]) Always(kind tier.Kind, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.always[kind] = fault
}

// Clear forgets all faults. Calls that a fault already holds stay held.
func (f *Faults[V]) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queued, f.at, f.always = [tier.Kinds][]Fault{}, [tier.Kinds][]Fault{}, [tier.Kinds]Fault{}
}

// Calls returns how many calls have begun.
func (f *Faults[V]) Calls(kind tier.Kind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.made[kind]
}

// Get reads from the backend unless a fault prevents it.
func (f *Faults[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	err = f.do(ctx, tier.Get, func(ctx context.Context) error {
		var err error
		entry, ok, err = f.next.Get(ctx, key)
		return err
	})
	if err != nil {
		return backends.Entry[V]{}, false, err
	}
	return entry, ok, nil
}

// Set writes to the backend unless a fault prevents it.
func (f *Faults[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	return f.do(ctx, tier.Set, func(ctx context.Context) error { return f.next.Set(ctx, key, entry) })
}

// Delete deletes from the backend unless a fault prevents it.
func (f *Faults[V]) Delete(ctx context.Context, key string) error {
	return f.do(ctx, tier.Delete, func(ctx context.Context) error { return f.next.Delete(ctx, key) })
}

// Stage stages in the backend, if that is a [backends.Stager], unless a fault prevents it. Faults
// for Set strike when the staged write is made.
func (f *Faults[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) (set func(ctx context.Context) error, err error) {
	apply := func(ctx context.Context) error { return f.next.Set(ctx, key, entry) }
	err = f.do(ctx, tier.Stage, func(ctx context.Context) error {
		if s, ok := f.next.(backends.Stager[V]); ok {
			var err error
			apply, err = s.Stage(ctx, key, entry)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return f.do(ctx, tier.Set, apply) }, nil
}

// Describe returns the description given to [Faults.Described], or the description of
// the backend.
func (f *Faults[V]) Describe() backends.Description { return f.desc }

func (f *Faults[V]) do(ctx context.Context, kind tier.Kind, apply func(context.Context) error) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	if fault := f.take(kind); fault != nil {
		return fault(ctx, apply)
	}
	return apply(ctx)
}

func (f *Faults[V]) take(kind tier.Kind) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made[kind]++
	if queue := f.queued[kind]; len(queue) > 0 {
		f.queued[kind] = queue[1:]
		return queue[0]
	}
	return f.always[kind]
}

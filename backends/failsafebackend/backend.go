package failsafebackend

import (
	"context"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends"
)

// Backend is a [backends.Backend] that makes its calls of another one through policies.
// It is made by [New] and is safe for concurrent use, as long as the other one and the
// policies are, as those of failsafe-go are. The other one's rules for keys, values and
// entries hold.
type Backend[V any] struct {
	next     backends.Backend[V]
	optional backends.Optional[V] // of next
	able     backends.Abilities   // of next
	executor failsafe.Executor[any]
	timeout  time.Duration
	certain  func(err error) bool
	closed   func() error
}

var (
	_ backends.Backend[any] = (*Backend[any])(nil)
	_ backends.Stager[any]  = (*Backend[any])(nil)
	_ backends.Describer    = (*Backend[any])(nil)
)

// New returns a Backend over next, which stays the caller's. It returns
// [backends.ErrNilBackend], errors that wrap [ErrBadOption], or an error of the
// meter provider.
func New[V any](next backends.Backend[V], opts ...Option) (*Backend[V], error) {
	if next == nil {
		return nil, backends.ErrNilBackend
	}
	c := newConfig(opts)
	if err := c.validate(); err != nil {
		return nil, err
	}
	policies, cb := c.compose()
	b := &Backend[V]{
		next:     next,
		optional: backends.OptionalOf(next),
		able:     backends.DescriptionOf(next).Abilities,
		executor: failsafe.With(policies...),
		timeout:  c.timeout,
		certain:  c.certain,
		closed:   func() error { return nil },
	}
	if cb != nil {
		registration, err := observe(cb, c, backends.DescriptionOf(next))
		if err != nil {
			return nil, err
		}
		b.closed = sync.OnceValue(registration.Unregister)
	}
	return b, nil
}

// Get reads from the backend. A miss is a success. Errors are those of the
// backend, an [*Error], or a [*RefusedError].
func (b *Backend[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	f, err := do(ctx, b, "get", &call[found[V]]{try: func(ctx context.Context) (f found[V], err error) {
		f.entry, f.ok, err = b.next.Get(ctx, key)
		return f, err
	}})
	return f.entry, f.ok, err
}

// found is the answer of a Get or a GetStamped.
type found[V any] struct {
	entry backends.Entry[V]
	stamp backends.Stamp
	ok    bool
}

// Set writes to the backend. Errors are those of the backend, an [*Error], or a
// [*RefusedError].
func (b *Backend[V]) Set(ctx context.Context, key string, entry backends.Entry[V]) error {
	return b.write(ctx, "set", func(ctx context.Context) error { return b.next.Set(ctx, key, entry) })
}

// Delete deletes from the backend. Errors are those of the backend, an [*Error],
// or a [*RefusedError].
func (b *Backend[V]) Delete(ctx context.Context, key string) error {
	return b.write(ctx, "delete", func(ctx context.Context) error { return b.next.Delete(ctx, key) })
}

// Stage stages in the backend, if that is a [backends.Stager]. That is done
// once, and no policy is asked. The function that it returns makes the write
// through the policies, with the errors of [Backend.Set].
func (b *Backend[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, backends.ErrNilContext
	}
	apply := func(ctx context.Context) error { return b.next.Set(ctx, key, entry) }
	if s, ok := b.next.(backends.Stager[V]); ok {
		if apply, err = s.Stage(ctx, key, entry); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error { return b.write(ctx, "set", apply) }, nil
}

// Describe returns the description of the backend.
func (b *Backend[V]) Describe() backends.Description { return backends.DescriptionOf(b.next) }

// Close ends the observation of the breaker's state. The backend is not closed,
// and calls go on to be possible. Further calls of Close return the same.
func (b *Backend[V]) Close() error { return b.closed() }

func (b *Backend[V]) write(ctx context.Context, op string, apply func(ctx context.Context) error) error {
	_, err := do(ctx, b, op, &call[struct{}]{writes: true, try: func(ctx context.Context) (struct{}, error) {
		return struct{}{}, apply(ctx)
	}})
	return err
}

// do makes a call through the policies.
func do[V, R any](ctx context.Context, b *Backend[V], op string, c *call[R]) (result R, err error) {
	if ctx == nil {
		return result, backends.ErrNilContext
	}
	if ctx.Err() != nil {
		return result, &RefusedError{Op: op, Err: backends.ContextError(ctx)}
	}
	policyErr := run(ctx, b, c)
	if err := c.verdict(op, policyErr); err != nil {
		return result, err
	}
	return c.result, nil
}

// run makes the attempts of a call, as the policies have it, and returns their error.
func run[V, R any](ctx context.Context, b *Backend[V], c *call[R]) error {
	c.caller, c.timeout, c.certain = ctx, b.timeout, b.certain
	policyErr := b.executor.WithContext(withOperation(ctx, c)).RunWithExecution(
		func(exec failsafe.Execution[any]) error { return c.attempt(exec.Context()) }) //nolint:contextcheck // made of ctx
	c.end()
	if span := trace.SpanFromContext(ctx); c.attempts > 1 && span.IsRecording() {
		span.SetAttributes(AttrAttempts.Int(c.attempts))
	}
	return policyErr
}

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
	return b.do(ctx, "get", false, func(ctx context.Context) (backends.Entry[V], bool, error) {
		return b.next.Get(ctx, key)
	})
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
	_, _, err := b.do(ctx, op, true, func(ctx context.Context) (entry backends.Entry[V], ok bool, err error) {
		return entry, false, apply(ctx)
	})
	return err
}

func (b *Backend[V]) do(ctx context.Context, op string, writes bool, try try[V]) (entry backends.Entry[V], ok bool, err error) {
	if ctx.Err() != nil {
		return entry, false, &RefusedError{Op: op, Err: backends.ContextError(ctx)}
	}
	c := &call[V]{caller: ctx, try: try, writes: writes, timeout: b.timeout, certain: b.certain}
	policyErr := b.executor.WithContext(withOperation(ctx, c)).RunWithExecution(
		func(exec failsafe.Execution[any]) error { return c.attempt(exec.Context()) }) //nolint:contextcheck // made of ctx
	c.end()
	if span := trace.SpanFromContext(ctx); c.attempts > 1 && span.IsRecording() {
		span.SetAttributes(AttrAttempts.Int(c.attempts))
	}
	if err := c.verdict(op, policyErr); err != nil {
		return backends.Entry[V]{}, false, err
	}
	return c.entry, c.ok, nil
}

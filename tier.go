package tiercache

import (
	"context"
	"runtime/debug"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/tiercache/tiercache/backends"
)

// tier is a backend and what is known of it.
type tier[V any] struct {
	backend backends.Backend[V]
	stager  backends.Stager[V]      // nil when the backend is none
	values  backends.ValueGetter[V] // likewise
	desc    backends.Description
	limits  *deadlines // of writes; nil: none
}

func newTier[V any](b backends.Backend[V], timeout time.Duration) tier[V] {
	t := tier[V]{backend: b, desc: backends.DescriptionOf(b)}
	t.values, _ = b.(backends.ValueGetter[V])
	t.stager, _ = b.(backends.Stager[V])
	if !t.desc.InProcess {
		t.limits = &deadlines{timeout: timeout}
	}
	return t
}

// The methods below turn a panic of the backend into an error.

func (t *tier[V]) stage(ctx context.Context, key string, entry backends.Entry[V]) (set func(context.Context) error, err error) {
	if t.stager == nil {
		return nil, nil
	}
	defer catch(&err)
	return t.stager.Stage(ctx, key, entry)
}

func (t *tier[V]) get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	defer catch(&err)
	return t.backend.Get(ctx, key)
}

// value is get for callers that want nothing else of the entry.
func (t *tier[V]) value(ctx context.Context, key string) (value V, ok bool, err error) {
	defer catch(&err)
	if t.values != nil {
		return t.values.GetValue(ctx, key)
	}
	entry, ok, err := t.backend.Get(ctx, key)
	return entry.Value, ok, err
}

// set makes a plain write. Most in-process tiers need no more.
func (t *tier[V]) set(ctx context.Context, key string, entry *backends.Entry[V]) (err error) {
	defer catch(&err)
	return t.backend.Set(ctx, key, *entry)
}

// setWithin makes a write under the timeout: a staged one, if there is a stage.
func (t *tier[V]) setWithin(ctx context.Context, key string, entry *backends.Entry[V], staged func(context.Context) error) (err error) {
	defer catch(&err)
	ctx, cancel := t.limits.limit(ctx)
	defer cancel()
	if staged != nil {
		return staged(ctx)
	}
	return t.backend.Set(ctx, key, *entry)
}

func (t *tier[V]) remove(ctx context.Context, key string) (err error) {
	defer catch(&err)
	ctx, cancel := t.limits.limit(ctx)
	defer cancel()
	return t.backend.Delete(ctx, key)
}

// catch is deferred around the calls of a backend.
func catch(err *error) {
	if v := recover(); v != nil {
		*err = panicError(v)
	}
}

// handlePanic is deferred around calls of functions that nobody waits for.
func handlePanic() {
	if v := recover(); v != nil {
		otel.Handle(panicError(v))
	}
}

func panicError(v any) error {
	return &backends.PanicError{Value: v, Stack: debug.Stack()}
}

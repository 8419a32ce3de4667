package backendtest_test

import (
	"context"

	"github.com/tiercache/tiercache/backends"
)

// nilContext has a function for calls with a nil context.
type nilContext struct {
	*store
	set func(s *store, key string, e entry) error
}

func (b nilContext) Set(ctx context.Context, key string, e entry) error {
	if ctx == nil {
		return b.set(b.store, key, e)
	}
	return b.store.Set(ctx, key, e)
}

// sinkless is a client that watches without a sink.
type sinkless struct{ *client }

func (b sinkless) Watch(ctx context.Context, sink backends.Sink) error {
	if sink == nil && ctx != nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return b.client.Watch(ctx, sink)
}

func argumentFlaws() map[string]flaw {
	all := make(map[string]flaw)
	add := func(name, found string, create func() backends.Backend[string]) {
		all[name] = flaw{backend: create, found: []string{found}}
	}
	const contexts, arguments = "a-nil-context-is-refused", "bad-arguments-are-refused"
	for name, set := range map[string]func(s *store, key string, e entry) error{
		"a nil context panics":                func(*store, string, entry) error { var none context.Context; return none.Err() },
		"a nil context blocks for ever":       func(*store, string, entry) error { select {} },
		"a nil context is ignored":            func(s *store, key string, e entry) error { return s.Set(context.Background(), key, e) }, //nolint:usetesting // it takes no time
		"a nil context is no error":           func(*store, string, entry) error { return nil },
		"a nil context may have been applied": func(*store, string, entry) error { return errFlaw },
		"a nil context writes, and that is denied": func(s *store, key string, e entry) error {
			_ = s.Set(context.Background(), key, e)
			return backends.ErrNilContext
		}, //nolint:usetesting // it takes no time
	} {
		add(name, contexts, func() backends.Backend[string] { return nilContext{newStore(), set} })
	}
	add("a staged write ignores a nil context", contexts, func() backends.Backend[string] { return stagesAnyContext{newStore()} })
	add("a nil write panics", arguments, func() backends.Backend[string] { return unchecked{newClient()} })
	add("a nil sink watches", arguments, func() backends.Backend[string] { return sinkless{newClient()} })
	add("a batch of reads ends with its results", arguments, func() backends.Backend[string] {
		return unequal{client: newClient(), reads: true}
	})
	add("a batch of writes ends with its results", arguments, func() backends.Backend[string] {
		return unequal{client: newClient(), writes: true}
	})
	return all
}

// stagesAnyContext makes a staged write without its context.
type stagesAnyContext struct{ *store }

func (b stagesAnyContext) Stage(ctx context.Context, key string, e entry) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, backends.ErrNilContext
	}
	return func(context.Context) error { return b.Set(ctx, key, e) }, nil
}

// unchecked looks at a write that may be nil.
type unchecked struct{ *client }

func (b unchecked) Write(ctx context.Context, w *write) (backends.Result, error) {
	if w.Key == "" {
		return backends.Result{}, backends.ErrEmptyKey
	}
	return b.client.Write(ctx, w)
}

// unequal makes as much of a batch as it has results for.
type unequal struct {
	*client
	reads, writes bool
}

func (b unequal) GetMany(ctx context.Context, keys []string, got []backends.Got[string]) {
	if n := min(len(keys), len(got)); b.reads {
		keys, got = keys[:n], got[:n]
	}
	b.client.GetMany(ctx, keys, got)
}

func (b unequal) WriteMany(ctx context.Context, writes []write, done []backends.Done) {
	if n := min(len(writes), len(done)); b.writes {
		writes, done = writes[:n], done[:n]
	}
	b.client.WriteMany(ctx, writes, done)
}

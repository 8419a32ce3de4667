package backendtest_test

import (
	"context"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// versioned is a client whose calls are bent.
type versioned struct {
	*client
	store *backendtest.Store[string]

	write func(ctx context.Context, b versioned, w write) (backends.Result, error)
	getIf func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error)
}

func (b versioned) Write(ctx context.Context, w *write) (backends.Result, error) {
	if b.write == nil || ctx == nil || w == nil {
		return b.client.Write(ctx, w)
	}
	return b.write(ctx, b, *w)
}

func (b versioned) GetIf(ctx context.Context, key string, have backends.Version) (entry, backends.Answer, error) {
	if b.getIf == nil || ctx == nil {
		return b.client.GetIf(ctx, key, have)
	}
	return b.getIf(ctx, b, key, have)
}

// writesSo returns a backend that changes writes before they are made.
func writesSo(edit func(b versioned, w *write)) func() backends.Backend[string] {
	return writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
		edit(b, &w)
		return b.client.Write(ctx, &w)
	})
}

func writesBy(write func(ctx context.Context, b versioned, w write) (backends.Result, error)) func() backends.Backend[string] {
	return func() backends.Backend[string] {
		s := backendtest.NewStore[string]()
		return versioned{client: s.Client(), store: s, write: write}
	}
}

func readsBy(
	getIf func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error),
) func() backends.Backend[string] {
	return func() backends.Backend[string] {
		s := backendtest.NewStore[string]()
		return versioned{client: s.Client(), store: s, getIf: getIf}
	}
}

// beginsAnew begins the versions of each key anew when the store has forgotten it.
type beginsAnew struct {
	versioned
	mu    sync.Mutex
	start map[string]backends.Version
}

func newBeginsAnew() backends.Backend[string] {
	s := backendtest.NewStore[string]()
	c := s.Client().Described(backends.Description{Abilities: backends.Abilities{Versions: true}})
	return &beginsAnew{versioned: versioned{client: c, store: s}, start: make(map[string]backends.Version)}
}

func (b *beginsAnew) Write(ctx context.Context, w *write) (backends.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx == nil || w == nil {
		return b.client.Write(ctx, w)
	}
	moved := *w
	if moved.If.Version != 0 {
		moved.If.Version += b.start[w.Key]
	}
	fresh := b.store.Remembers(w.Key).Version == 0
	r, err := b.client.Write(ctx, &moved)
	if fresh && r.Version != 0 {
		b.start[w.Key] = r.Version - backends.MakeVersion(r.Version.Era(), 1)
	}
	if r.Version != 0 {
		r.Version -= b.start[w.Key]
	}
	return r, err
}

func (b *beginsAnew) GetIf(ctx context.Context, key string, have backends.Version) (entry, backends.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if have != 0 {
		have += b.start[key]
	}
	e, answer, err := b.client.GetIf(ctx, key, have)
	if answer.Version != 0 {
		answer.Version -= b.start[key]
	}
	return e, answer, err
}

// declares is a backend without any ability that declares some.
type declares struct {
	backends.Backend[string]
	abilities backends.Abilities
}

func (b declares) Describe() backends.Description {
	return backends.Description{Abilities: b.abilities}
}

type clockless struct{ *client }

func (clockless) StoreTime() (now time.Time, within time.Duration, ok bool) { return now, 0, false }

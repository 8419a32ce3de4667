package backendtest_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// The backends of this file have one flaw each.

type (
	store  = backendtest.Map[string]
	entry  = backends.Entry[string]
	setter = func(ctx context.Context) error
)

var errFlaw = errors.New("flaw")

// edited changes the entries that are set.
type edited struct {
	*store
	edit func(key string, e entry) entry
}

func (b edited) Set(ctx context.Context, key string, e entry) error {
	return b.store.Set(ctx, key, b.edit(key, e))
}

// selective makes some calls of Set and Delete only, and answers with an error
// of its own.
type selective struct {
	*store
	set, remove func(ctx context.Context, key string, present bool) (apply bool, err error)
}

func (b selective) Set(ctx context.Context, key string, e entry) error {
	if b.set != nil && ctx != nil {
		if apply, err := b.set(ctx, key, b.has(key)); !apply || err != nil {
			if apply {
				_ = b.store.Set(ctx, key, e)
			}
			return err
		}
	}
	return b.store.Set(ctx, key, e)
}

func (b selective) Delete(ctx context.Context, key string) error {
	if b.remove != nil && ctx != nil {
		if apply, err := b.remove(ctx, key, b.has(key)); !apply || err != nil {
			if apply {
				_ = b.store.Delete(ctx, key)
			}
			return err
		}
	}
	return b.store.Delete(ctx, key)
}

func (b selective) has(key string) bool {
	_, ok := b.Snapshot()[key]
	return ok
}

// reader reads in its own way.
type reader struct {
	*store
	get func(ctx context.Context, s *store, key string) (entry, bool, error)
}

func (b reader) Get(ctx context.Context, key string) (e entry, ok bool, err error) {
	if ctx == nil {
		return b.store.Get(ctx, key)
	}
	return b.get(ctx, b.store, key)
}

// missIsError has an error for keys that it does not have.
func missIsError(ctx context.Context, s *store, key string) (entry, bool, error) {
	e, ok, err := s.Get(ctx, key)
	if !ok {
		return e, ok, errors.Join(err, errFlaw)
	}
	return e, ok, err
}

// neverExpires returns entries that have expired.
func neverExpires(_ context.Context, s *store, key string) (entry, bool, error) {
	e, ok := s.Snapshot()[key]
	return e, ok, nil
}

// missWhenCancelled takes a context that has ended for a miss.
func missWhenCancelled(ctx context.Context, s *store, key string) (entry, bool, error) {
	if ctx.Err() != nil {
		return entry{}, false, nil //nolint:nilerr // it is the flaw
	}
	return s.Get(ctx, key)
}

// foldsCase takes keys that differ in case for the same.
type foldsCase struct{ *store }

func (b foldsCase) Get(ctx context.Context, key string) (e entry, ok bool, err error) {
	return b.store.Get(ctx, strings.ToLower(key))
}

func (b foldsCase) Set(ctx context.Context, key string, e entry) error {
	return b.store.Set(ctx, strings.ToLower(key), e)
}

func (b foldsCase) Delete(ctx context.Context, key string) error {
	return b.store.Delete(ctx, strings.ToLower(key))
}

// stager stages in its own way.
type stager struct {
	*store
	stage func(ctx context.Context, s *store, key string, e entry) (setter, error)
}

func (b stager) Stage(ctx context.Context, key string, e entry) (set func(ctx context.Context) error, err error) {
	if ctx == nil {
		return nil, backends.ErrNilContext
	}
	staged, err := b.stage(ctx, b.store, key, e)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if ctx == nil {
			return backends.ErrNilContext
		}
		return staged(ctx)
	}, nil
}

// stagesAtOnce writes when it should only prepare to.
func stagesAtOnce(ctx context.Context, s *store, key string, e entry) (setter, error) {
	return func(context.Context) error { return nil }, s.Set(ctx, key, e)
}

// stagesOnce cannot make the write a second time.
func stagesOnce(_ context.Context, s *store, key string, e entry) (setter, error) {
	made := false
	return func(ctx context.Context) error {
		if made {
			return errFlaw
		}
		made = true
		return s.Set(ctx, key, e)
	}, nil
}

func stagesNothing(context.Context, *store, string, entry) (setter, error) { return nil, errFlaw }

// moody describes itself differently each time.
type moody struct {
	*store
	asked *int
}

func (b moody) Describe() backends.Description {
	*b.asked++
	return backends.Description{ServerPort: *b.asked}
}

// losesUpdates copies its entries, and loses concurrent writes.
type losesUpdates struct {
	mu      sync.Mutex
	entries map[string]entry
}

func (b *losesUpdates) load() map[string]entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries
}

func (b *losesUpdates) change(f func(entries map[string]entry)) error {
	entries := maps.Clone(b.load())
	f(entries)
	time.Sleep(time.Millisecond) // in a bubble: now the others change theirs,
	b.mu.Lock()
	b.entries = entries
	b.mu.Unlock()
	time.Sleep(time.Millisecond) // and now they put them in the place of these
	return nil
}

func (b *losesUpdates) Get(ctx context.Context, key string) (e entry, ok bool, err error) {
	if ctx == nil {
		return entry{}, false, backends.ErrNilContext
	}
	e, ok = b.load()[key]
	if !ok || e.Expired(time.Now()) {
		return entry{}, false, nil
	}
	return e, true, nil
}

func (b *losesUpdates) Set(ctx context.Context, key string, e entry) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	return b.change(func(entries map[string]entry) { entries[key] = e })
}

func (b *losesUpdates) Delete(ctx context.Context, key string) error {
	if ctx == nil {
		return backends.ErrNilContext
	}
	return b.change(func(entries map[string]entry) { delete(entries, key) })
}

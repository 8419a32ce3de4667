package backendtest_test

import (
	"context"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// stamped is a map whose stamps and walks are bent.
type stamped struct {
	*store
	set        func(ctx context.Context, s *store, key string, e entry) error
	setStamped func(ctx context.Context, s *store, key string, e entry, stamp backends.Stamp) error
	getStamped func(ctx context.Context, s *store, key string) (entry, backends.Stamp, bool, error)
	walk       func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error
}

func (b stamped) Set(ctx context.Context, key string, e entry) error {
	if b.set == nil || ctx == nil {
		return b.store.Set(ctx, key, e)
	}
	return b.set(ctx, b.store, key, e)
}

func (b stamped) SetStamped(ctx context.Context, key string, e entry, stamp backends.Stamp) error {
	if b.setStamped == nil || ctx == nil {
		return b.store.SetStamped(ctx, key, e, stamp)
	}
	return b.setStamped(ctx, b.store, key, e, stamp)
}

func (b stamped) GetStamped(ctx context.Context, key string) (e entry, stamp backends.Stamp, ok bool, err error) {
	if b.getStamped == nil || ctx == nil {
		return b.store.GetStamped(ctx, key)
	}
	return b.getStamped(ctx, b.store, key)
}

func (b stamped) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	if b.walk == nil || ctx == nil {
		return b.store.Walk(ctx, visit)
	}
	return b.walk(ctx, b.store, visit)
}

// locked holds a lock during a walk that its other calls take. It is a channel, because a
// bubble does not notice who waits for a mutex.
type locked struct {
	*store
	free chan struct{}
}

func (b locked) Delete(ctx context.Context, key string) error {
	<-b.free
	defer func() { b.free <- struct{}{} }()
	return b.store.Delete(ctx, key)
}

func (b locked) Walk(ctx context.Context, visit func(key string, stamp backends.Stamp) bool) error {
	<-b.free
	defer func() { b.free <- struct{}{} }()
	return b.store.Walk(ctx, visit)
}

// stampFlaws are backends whose stamps or walks are wrong.
func stampFlaws() map[string]flaw {
	create := func(b stamped, found ...string) flaw {
		return flaw{
			backend: func() backends.Backend[string] {
				b.store = backendtest.NewMap[string]()
				return b
			},
			found: found,
		}
	}
	stamps, walks := "stamps-stay-with-their-values", "a-walk-visits-every-entry"
	walksBy := func(walk func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error) flaw {
		return create(stamped{walk: walk}, walks)
	}
	return map[string]flaw{
		"a stamp stays when Set replaces its value": create(stamped{set: func(ctx context.Context, s *store, key string, e entry) error {
			_, stamp, _, _ := s.GetStamped(ctx, key)
			return s.SetStamped(ctx, key, e, stamp)
		}}, stamps),
		"stamps are lost": create(stamped{setStamped: func(ctx context.Context, s *store, key string, e entry, _ backends.Stamp) error {
			return s.Set(ctx, key, e)
		}}, stamps, walks),
		"stamps lose their epoch": create(stamped{setStamped: func(ctx context.Context, s *store, key string, e entry, stamp backends.Stamp) error {
			stamp.Epoch = 0
			return s.SetStamped(ctx, key, e, stamp)
		}}, stamps, walks),
		"stamped entries never expire": create(stamped{getStamped: func(ctx context.Context, s *store, key string) (entry, backends.Stamp, bool, error) {
			_, stamp, _, err := s.GetStamped(ctx, key)
			e, ok := s.Snapshot()[key]
			return e, stamp, ok, err
		}}, stamps),
		"stamped values are not seen by Get": create(stamped{setStamped: func(ctx context.Context, s *store, key string, e entry, stamp backends.Stamp) error {
			e.Value += "!"
			return s.SetStamped(ctx, key, e, stamp)
		}}, stamps),
		"a walk shows expired entries": walksBy(func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			for key := range s.Snapshot() {
				_, stamp, _, _ := s.GetStamped(ctx, key)
				if !visit(key, stamp) {
					return nil
				}
			}
			return ctx.Err()
		}),
		"a walk misses an entry": walksBy(func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			return s.Walk(ctx, func(key string, stamp backends.Stamp) bool { return key == "k7" || visit(key, stamp) })
		}),
		"a walk visits entries twice": walksBy(func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			if err := s.Walk(ctx, visit); err != nil {
				return err
			}
			return s.Walk(ctx, visit)
		}),
		"a walk shows no stamps": walksBy(func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			return s.Walk(ctx, func(key string, _ backends.Stamp) bool { return visit(key, backends.Stamp{}) })
		}),
		"a walk cannot be ended by visit": walksBy(func(ctx context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			return s.Walk(ctx, func(key string, stamp backends.Stamp) bool { visit(key, stamp); return true })
		}),
		"a walk ignores its context": walksBy(func(_ context.Context, s *store, visit func(key string, stamp backends.Stamp) bool) error {
			return s.Walk(context.Background(), visit)
		}),
		"a walk holds a lock": {
			backend: func() backends.Backend[string] {
				free := make(chan struct{}, 1)
				free <- struct{}{}
				return locked{backendtest.NewMap[string](), free}
			},
			found: []string{walks},
		},
	}
}

package matrix

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
)

// The key and the values of all scripts.
const (
	key = "user:4711"

	old    = "old"    // what L2, and where the script says so L1, begins with
	newer  = "new"    // what a Set writes
	first  = "A"      // what two writers write
	second = "B"      //
	loaded = "loaded" // what a load returns
	none   = "none"   // what stands for no value
)

const (
	// long is the TTL of entries that do not expire during a script; short is that
	// of those that do: some libraries refuse less than a second.
	long  = time.Hour
	short = time.Second

	// grace is how long a script waits for something that one library does and another
	// cannot do before it is let go on: a second writer that has to wait for the first.
	// No library takes longer than that. If one did, the script would miss a
	// divergence; it never invents one.
	grace = 100 * time.Millisecond

	// patience is how long a script waits for steps that every library must take.
	patience = 10 * time.Second

	// ownL1Size is the size of those L1 that cannot be given.
	ownL1Size = 100
)

var (
	errDown     = errors.New("the store is down")
	errPatience = errors.New("what the script waits for did not happen")
)

// fixture is a cache of one library over two tiers that a script can break.
type fixture struct {
	*tiercachetest.Tiers[[]byte]
	store2 backends.Backend[[]byte] // behind L2's faults
	cache  *driver.Cache
	load   func(ctx context.Context) ([]byte, error)
	decode func([]byte) []byte
}

// newFixture returns a fixture whose L1 is empty and whose L2 has the old value.
func newFixture(d driver.Driver, s script) (*fixture, error) {
	f := &fixture{Tiers: tiercachetest.NewTiers[[]byte](), decode: d.Decode}
	// A remote store returns when the caller's context has ended, which the map
	// underneath would not.
	f.store2 = f.Map2
	f.L2 = backendtest.WithFaults[[]byte](obedient{f.Map2}).Described(backends.Description{System: "redis"})
	if s.versions {
		client := backendtest.NewStore[[]byte]().Client()
		f.store2, f.L2 = client, backendtest.WithFaults[[]byte](client)
	}
	ttl := long
	if s.short {
		ttl = short
	}
	cfg := driver.Config{L1: f.L1, L1Size: ownL1Size, L2: f.L2, TTL: ttl}
	if s.loads {
		cfg.Load = func(ctx context.Context, _ string) ([]byte, error) { return f.load(ctx) }
		f.load = func(context.Context) ([]byte, error) { return []byte(loaded), nil }
	} else {
		put(f.store2, old, d.Encode)
	}
	var err error
	f.cache, err = d.New(cfg)
	return f, err
}

// put stores a value that does not expire during a script.
func put(m backends.Backend[[]byte], value string, encode func([]byte) []byte) {
	data := []byte(value)
	if encode != nil {
		data = encode(data)
	}
	_ = m.Set(context.Background(), key, backends.Entry[[]byte]{Value: data, ExpiresAt: time.Now().Add(long)})
}

// warm makes L1 hold the old value too.
func (f *fixture) warm() {
	if f.cache.PeekL1 == nil {
		put(f.Map1, old, nil)
		return
	}
	f.get(context.Background())
}

// evict makes L1 evict its copy.
func (f *fixture) evict() bool {
	if f.cache.EvictL1 != nil {
		return f.cache.EvictL1(key)
	}
	return f.Map1.Delete(context.Background(), key) == nil
}

// obedient is a store that refuses calls whose context has ended.
type obedient struct{ backends.Backend[[]byte] }

// Set writes unless the context has ended.
func (o obedient) Set(ctx context.Context, key string, e backends.Entry[[]byte]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return o.Backend.Set(ctx, key, e)
}

// Delete deletes unless the context has ended.
func (o obedient) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return o.Backend.Delete(ctx, key)
}

func (f *fixture) set(ctx context.Context, value string) error {
	return f.cache.Set(ctx, key, []byte(value))
}

// get returns the result of a reader: a value, none or an error.
func (f *fixture) get(ctx context.Context) string {
	value, ok, err := f.cache.Get(ctx, key)
	switch {
	case err != nil:
		return "err"
	case !ok:
		return none
	}
	return string(value)
}

// both calls fault for the calls of both tiers.
func (f *fixture) both(call tier.Kind, fault backendtest.Fault) {
	f.L1.Always(call, fault)
	f.L2.Always(call, fault)
}

// heal removes all faults and waits until the library's background work is done.
func (f *fixture) heal() {
	f.L1.Clear()
	f.L2.Clear()
	f.cache.Settle()
}

// state returns the values that the tiers hold.
func (f *fixture) state() (l1, l2 string) {
	l1, l2 = stored(f.Map1, nil), stored(f.store2, f.decode)
	if f.cache.PeekL1 == nil {
		return l1, l2
	}
	if value, ok := f.cache.PeekL1(key); ok {
		return string(value), l2
	}
	return none, l2
}

func stored(m backends.Backend[[]byte], decode func([]byte) []byte) string {
	e, ok, _ := m.Get(context.Background(), key)
	switch {
	case !ok:
		return none
	case decode != nil:
		return string(decode(e.Value))
	}
	return string(e.Value)
}

// secondCall holds the second call that it is given, until its gate is opened.
type secondCall struct {
	*backendtest.Gate
	calls atomic.Int32
}

func newSecondCall() *secondCall { return &secondCall{Gate: backendtest.NewGate()} }

// fault is given to both tiers, so that it does not matter which is first.
func (s *secondCall) fault() backendtest.Fault {
	held := s.Before()
	return func(ctx context.Context, apply func(context.Context) error) error {
		if s.calls.Add(1) == 2 {
			return held(ctx, apply)
		}
		return apply(ctx)
	}
}

// call is something that runs in a goroutine.
type call struct {
	done chan struct{}
	err  error
}

func begin(f func() error) *call {
	c := &call{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = f()
	}()
	return c
}

// soon waits for the call, but not longer than the grace.
func (c *call) soon() {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	}
}

func (c *call) wait() error {
	<-c.done
	return c.err
}

// await asks until something is so. It reports false if patience is at its end.
func await(so func() bool) bool {
	ticker := time.NewTicker(grace / 4)
	defer ticker.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		if so() {
			return true
		}
		select {
		case <-ticker.C:
		case <-end.C:
			return false
		}
	}
}

package tiercache_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	before = "before" // the value that the tiers hold at first
	loaded = "loaded" // the value of the loader
	after  = "after"  // the value of the write that shows that the key is free
)

// strangerCase is one cell of the matrix: somebody else's code, its misconduct, and
// the operation in which it is called.
type strangerCase struct {
	actor      actor
	misconduct misconduct
	op         operation
	policy     string
	telemetry  bool
}

func (c strangerCase) name() string {
	telemetry := "off"
	if c.telemetry {
		telemetry = "on"
	}
	return strings.Join([]string{
		c.actor.name, c.misconduct.name, c.op.name, c.policy, "telemetry=" + telemetry,
	}, "/")
}

// inProcess reports whether L2 is in the process too, so that a Set has the way of
// TestSetDirect.
func (c strangerCase) inProcess() bool { return c.policy == "sequential, in the process" }

// scenario is a cache all of whose parts call at, which misbehaves at one place.
type scenario struct {
	strangerCase
	*tiercache.Cache[string]
	*capture
	map1, map2 *backendtest.Map[string]

	stored2 func() map[string]backends.Entry[string] // all that L2 has
	fill2   func(ctx context.Context, key string, entry backends.Entry[string]) error

	armed    atomic.Bool
	struck   atomic.Int32
	entering atomic.Bool // the misconduct calls the cache, so what it causes is spared
	entries  int         // guarded by entering: calls back

	mu      sync.Mutex
	reenter []error // what the calls back into the cache returned
}

// at is called wherever a part of the cache is somebody else's code.
func (s *scenario) at(ctx context.Context, place string) error {
	if place != s.actor.place || !s.armed.Load() || s.entering.Load() {
		return nil
	}
	s.struck.Add(1)
	return s.misconduct.do(s, ctx)
}

// down makes the writes of L2 fail, for actors that are called only then.
func (s *scenario) down() error {
	if s.actor.l2Down && s.armed.Load() {
		return errRefused
	}
	return nil
}

func newScenario(t *testing.T, c strangerCase) *scenario {
	t.Helper()
	s := &scenario{
		strangerCase: c, capture: newCapture(),
		map1: backendtest.NewMap[string](), map2: backendtest.NewMap[string](),
	}
	l1 := &strangeTier{Map: s.map1, s: s, id: "l1", desc: backends.Description{InProcess: true}}
	l2 := &strangeTier{Map: s.map2, s: s, id: "l2", desc: backends.Description{System: "fake"}}
	if c.inProcess() {
		l2.desc = l1.desc
	}
	s.stored2, s.fill2 = s.map2.Snapshot, s.map2.Set
	opts := append(s.telemetryOptions(),
		tiercache.WithClassifier(func(err error) bool {
			_ = s.at(nil, "classifier") //nolint:staticcheck // it has no context
			return backends.CertainlyNotApplied(err)
		}),
		tiercache.WithInconsistencyHook(func(ctx context.Context, i tiercache.Inconsistency) {
			s.capture.mu.Lock()
			s.hooks = append(s.hooks, i)
			s.capture.mu.Unlock()
			_ = s.at(ctx, "hook")
		}))
	if c.op.ahead {
		opts = append(opts, tiercache.WithRefreshAhead(0.5))
	}
	second := s.tier(t, l2)
	if c.op.decided {
		second, opts = s.decidingL2(t), append(opts, s.decidedOptions()...)
	} else {
		opts = append(opts, tiercache.WithWritePolicy(s.writePolicy()))
	}
	var err error
	s.Cache, err = tiercache.New("users", s.tier(t, l1), second, opts...)
	require.NoError(t, err)
	s.fill(t)
	return s
}

// tier wraps a tier for actors that are not there otherwise.
func (s *scenario) tier(t *testing.T, tier *strangeTier) backends.Backend[string] {
	t.Helper()
	switch {
	case strings.HasPrefix(s.actor.place, tier.id+" stage"):
		return stagingTier{tier}
	case strings.HasPrefix(s.actor.place, "codec") && tier.id == "l2":
		coded, err := backends.WithCodec(byteTier{tier}, backends.Codec[string](strangeCodec{s}))
		require.NoError(t, err)
		return coded
	default:
		return tier
	}
}

func (s *scenario) fill(t *testing.T) {
	t.Helper()
	entry := backends.Entry[string]{Value: before, ExpiresAt: time.Now().Add(s.op.ttl)}
	if s.op.inL1 {
		require.NoError(t, s.map1.Set(t.Context(), secretKey, entry))
	}
	if s.op.inL2 {
		require.NoError(t, s.fill2(t.Context(), secretKey, entry))
	}
}

func (s *scenario) writePolicy() writepolicy.Policy {
	return map[string]writepolicy.Policy{
		"sequential": writepolicy.Sequential(),

		"sequential, in the process": writepolicy.Sequential(),

		"parallel": writepolicy.Parallel(),
		"race":     writepolicy.Race(),
		"custom":   writepolicy.WithName("custom", writepolicy.PolicyFunc(s.custom)),
	}[s.policy]
}

// custom is a policy that writes L1, and L2 in a goroutine.
func (s *scenario) custom(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	if err := s.at(ctx, "policy begin"); err != nil {
		return err
	}
	if err := l1.Write(ctx); err != nil {
		return err
	}
	if err := s.at(ctx, "policy middle"); err != nil {
		return err
	}
	done := make(chan error, 1)
	l2.Go(ctx, func(err error) {
		defer func() { done <- err }()
		_ = s.at(nil, "done callback") //nolint:staticcheck // it has no context
	})
	if err := <-done; err != nil {
		return err
	}
	return s.at(ctx, "policy end")
}

func (s *scenario) load(ctx context.Context, _ string) (string, error) {
	return loaded, s.at(ctx, "loader")
}

func (s *scenario) loadMany(ctx context.Context, keys []string) (map[string]string, error) {
	values := make(map[string]string, len(keys))
	for _, key := range keys {
		values[key] = loaded
	}
	return values, s.at(ctx, "loader")
}

// strangeTier is a tier of a cache, with all capabilities but Stager.
type strangeTier struct {
	*backendtest.Map[string]
	s    *scenario
	id   string
	desc backends.Description
}

func (t *strangeTier) Describe() backends.Description { return t.desc }

func (t *strangeTier) Get(ctx context.Context, key string) (entry backends.Entry[string], ok bool, err error) {
	if err := t.s.at(ctx, t.id+" get"); err != nil {
		return entry, false, err
	}
	return t.Map.Get(ctx, key)
}

func (t *strangeTier) GetValue(ctx context.Context, key string) (value string, ok bool, err error) {
	if err := t.s.at(ctx, t.id+" get value"); err != nil {
		return "", false, err
	}
	return t.Map.GetValue(ctx, key)
}

func (t *strangeTier) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	if err := t.s.at(ctx, t.id+" set"); err != nil {
		return err
	}
	if err := t.s.down(); t.id == "l2" && err != nil {
		return err
	}
	if err := t.Map.Set(ctx, key, entry); err != nil {
		return err
	}
	return t.s.at(ctx, t.id+" set, applied")
}

func (t *strangeTier) Delete(ctx context.Context, key string) error {
	if err := t.s.at(ctx, t.id+" delete"); err != nil {
		return err
	}
	if err := t.s.down(); t.id == "l2" && err != nil {
		return err
	}
	return t.Map.Delete(ctx, key)
}

type stagingTier struct{ *strangeTier }

func (t stagingTier) Stage(ctx context.Context, key string, entry backends.Entry[string]) (set func(ctx context.Context) error, err error) {
	if err := t.s.at(ctx, t.id+" stage"); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := t.s.at(ctx, t.id+" staged"); err != nil {
			return err
		}
		return t.Map.Set(ctx, key, entry)
	}, nil
}

// byteTier is a tier that keeps bytes.
type byteTier struct{ *strangeTier }

func (t byteTier) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	e, ok, err := t.strangeTier.Get(ctx, key)
	return backends.Entry[[]byte]{Value: []byte(e.Value), ExpiresAt: e.ExpiresAt}, ok, err
}

func (t byteTier) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	return t.strangeTier.Set(ctx, key, backends.Entry[string]{Value: string(entry.Value), ExpiresAt: entry.ExpiresAt})
}

type strangeCodec struct{ s *scenario }

func (c strangeCodec) Encode(v string) ([]byte, error) {
	return []byte(v), c.s.at(nil, "codec encode") //nolint:staticcheck // it has no context
}

func (c strangeCodec) Decode(data []byte) (string, error) {
	return string(data), c.s.at(nil, "codec decode") //nolint:staticcheck // it has no context
}

// differ reports whether the tiers answer differently.
func (s *scenario) differ() bool {
	l1, ok1 := s.map1.Snapshot()[secretKey]
	l2, ok2 := s.stored2()[secretKey]
	return ok1 && (!ok2 || l1.Value != l2.Value)
}

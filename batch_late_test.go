package tiercache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// lateKey is the one of a batch whose own code hangs.
const lateKey = "k1"

// lateScenario is a cache whose code for one key hangs at a place, until it is released.
type lateScenario struct {
	node
	place   string
	release chan struct{}
}

func newLateScenario(t *testing.T, place string) *lateScenario {
	t.Helper()
	s := &lateScenario{place: place, release: make(chan struct{})}
	s.node = newNode(t,
		tiercache.WithWritePolicy(writepolicy.WithName("custom", writepolicy.PolicyFunc(s.write))),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) { s.at("hook", i.Key) }))
	return s
}

func (s *lateScenario) at(place, key string) {
	if place == s.place && key == lateKey {
		<-s.release
	}
}

// write is a policy that writes L1, then L2.
func (s *lateScenario) write(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
	s.at("policy begins", op.Key)
	if err := l1.Write(ctx); err != nil {
		return err
	}
	s.at("between the tiers", op.Key)
	if s.place == "hook" && op.Key == lateKey {
		return errors.New("it leaves the tiers different")
	}
	if err := l2.Write(ctx); err != nil {
		return err
	}
	s.at("policy ends", op.Key)
	return nil
}

// A policy or a hook that hangs for one key of a batch keeps that key alone: the others are
// written, by one call of each tier, and their locks are free. The batch returns when the
// late key has ended too.
func TestSetMany_OneKeyHangs(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"policy begins", "between the tiers", "policy ends", "hook"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newLateScenario(t, place)
				keys := keysOf(10)
				done := make(chan error, 1)
				go func() { done <- s.SetMany(t.Context(), valued(keys, "a"), 0) }()
				time.Sleep(time.Second)
				s.othersHave(t, keys)
				require.NoError(t, s.Set(t.Context(), "k2", "later", 0))
				require.Empty(t, done, "the late key has not ended")
				close(s.release)
				if err := <-done; place == "hook" {
					require.ErrorContains(t, err, "1 of 10 keys failed")
				} else {
					require.NoError(t, err)
					_, l2 := s.holds(lateKey)
					assert.Equal(t, lateKey+"a", l2)
				}
			})
		})
	}
}

func (s *lateScenario) othersHave(t *testing.T, keys []string) {
	t.Helper()
	for _, key := range keys {
		if key != lateKey {
			l1, l2 := s.holds(key)
			require.Equal(t, [2]string{key + "a", key + "a"}, [2]string{l1, l2}, key)
		}
	}
	assert.Equal(t, 1, s.l2.Calls(tier.Set), "one call of L2 for all others")
}

// Loaded values are written in the same way.
func TestGetOrLoadMany_OneKeyHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newLateScenario(t, "policy begins")
		keys := keysOf(10)
		done := make(chan error, 1)
		go func() {
			_, err := s.GetOrLoadMany(t.Context(), keys, 0, func(_ context.Context, keys []string) (map[string]string, error) {
				values := make(map[string]string)
				for _, key := range keys {
					values[key] = key + "a"
				}
				return values, nil
			})
			done <- err
		}()
		time.Sleep(time.Second)
		s.othersHave(t, keys)
		close(s.release)
		require.NoError(t, <-done)
		_, l2 := s.holds(lateKey)
		assert.Equal(t, lateKey+"a", l2)
	})
}

// A tier that is slow makes nobody late: the calls that follow are made together.
func TestSetMany_SlowTierMakesNobodyLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newLateScenario(t, "")
		s.l1.Always(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			time.Sleep(10 * time.Second)
			return next(ctx)
		})
		keys := keysOf(10)
		require.NoError(t, s.SetMany(t.Context(), valued(keys, "a"), 0))
		s.othersHave(t, keys)
	})
}

// A key that was late once takes part again: its later calls are made with those of others.
func TestSetMany_LateKeyCatchesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newLateScenario(t, "policy begins")
		s.l1.Always(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			time.Sleep(500 * time.Millisecond) // each of both calls of L1
			return next(ctx)
		})
		s.l2.Always(tier.Set, func(ctx context.Context, next func(context.Context) error) error {
			time.Sleep(2 * time.Second)
			return next(ctx)
		})
		time.AfterFunc(300*time.Millisecond, func() { close(s.release) })
		keys := keysOf(10)
		require.NoError(t, s.SetMany(t.Context(), valued(keys, "a"), 0))
		assert.Equal(t, 2, s.l2.Calls(tier.Set))
		require.NoError(t, s.SetMany(t.Context(), valued(keys, "b"), 0))
		assert.Equal(t, 3, s.l2.Calls(tier.Set), "nobody is late any more")
	})
}

// stagedL1 is an L1 whose Stage hangs for one key.
type stagedL1 struct {
	backends.Backend[string]
	s *lateScenario
}

func (l stagedL1) Stage(_ context.Context, key string, entry backends.Entry[string]) (func(ctx context.Context) error, error) {
	l.s.at("stage", key)
	return func(ctx context.Context) error { return l.Set(ctx, key, entry) }, nil
}

func TestSetMany_OneStageHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newLateScenario(t, "stage")
		c, err := tiercache.New[string]("users", stagedL1{s.l1, s}, s.l2)
		require.NoError(t, err)
		keys := keysOf(10)
		done := make(chan error, 1)
		go func() { done <- c.SetMany(t.Context(), valued(keys, "a"), 0) }()
		time.Sleep(time.Second)
		s.othersHave(t, keys)
		close(s.release)
		require.NoError(t, <-done)
		require.NoError(t, c.Close(t.Context()))
	})
}

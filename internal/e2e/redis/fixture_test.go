package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	key      = "user:4711"
	oldValue = "old"
	newValue = "new"
	patience = 30 * time.Second // for what must happen at some time
	interval = 20 * time.Millisecond
)

// fixture is a cache over otter and a Redis, and a way to each tier of its own.
type fixture struct {
	*tiercache.Cache[string]
	capture
	triggers *triggers
	l1       *otterbackend.Backend[string]
	l2       backends.Backend[string] // directly, through no proxy and without a deadline of its own
}

// setting is what fixtures differ in.
type setting struct {
	client   redis.UniversalClient    // for the cache
	store    backends.Backend[[]byte] // in place of one over client
	direct   redis.UniversalClient    // for the test
	triggers *triggers                // of the cache's client
	policy   writepolicy.Policy
	timeout  time.Duration // of a write of L2
	retries  int
}

func newFixture(t *testing.T, s setting) *fixture {
	t.Helper()
	f := &fixture{capture: capture{tiercachetest.NewRecorder()}, triggers: s.triggers}
	var err error
	f.l1, err = otterbackend.New[string]()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.l1.Close()) })
	f.l2 = stringsIn(t, s.direct)
	store := s.store
	if store == nil {
		s.client.AddHook(f.triggers)
		store, err = redisbackend.New(s.client, redisbackend.WithoutKeyPrefix(), redisbackend.WithWriteRetries(s.retries))
		require.NoError(t, err)
	}
	l2, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	f.Cache, err = tiercache.New("users", f.l1, l2, append(f.Options(),
		tiercache.WithWritePolicy(s.policy), tiercache.WithWriteTimeout(s.timeout))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		assert.NoError(t, f.Close(ctx))
	})
	return f
}

// stringsIn is a backend that sees what a cache over the same Redis stores.
func stringsIn(t *testing.T, client redis.UniversalClient) backends.Backend[string] {
	t.Helper()
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
	require.NoError(t, err)
	coded, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	return coded
}

// put gives both tiers the old value, without the cache, and lets the cache's
// client connect.
func (f *fixture) put(t *testing.T) {
	t.Helper()
	entry := backends.Entry[string]{Value: oldValue}
	require.NoError(t, f.l1.Set(t.Context(), key, entry))
	require.NoError(t, f.l2.Set(t.Context(), key, entry))
	_, ok, err := f.Get(t.Context(), "another key")
	require.NoError(t, err)
	require.False(t, ok)
}

// holds says what the tiers hold; "" is nothing.
func (f *fixture) holds(t *testing.T) (l1, l2 string) {
	t.Helper()
	e1, _, err := f.l1.Get(t.Context(), key)
	require.NoError(t, err)
	var e2 backends.Entry[string]
	eventually(t, "L2 can be read", func(ctx context.Context) (err error) {
		e2, _, err = f.l2.Get(ctx, key)
		return err
	})
	return e1.Value, e2.Value
}

// goesOn checks that the cache works again by itself: a write succeeds, and then
// the tiers are equal.
func (f *fixture) goesOn(t *testing.T) {
	t.Helper()
	eventually(t, "the cache goes on", func(ctx context.Context) error {
		return f.Set(ctx, key, "later", 0)
	})
	l1, l2 := f.holds(t)
	assert.Equal(t, [2]string{"later", "later"}, [2]string{l1, l2}, "what L1 and L2 hold in the end")
	value, ok, err := f.Get(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "later", value)
}

// eventually waits until f returns nil.
func eventually(tb testing.TB, what string, f func(ctx context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		err := f(ctx)
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.NoError(tb, err, what)
		}
	}
}

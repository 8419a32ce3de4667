package docs_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func inProcess() (backends.Backend[User], error) {
	return otterbackend.New[User](otterbackend.WithMaximumSize(100_000))
}

func shared(addrs ...string) (backends.Backend[User], error) {
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: addrs, ContextTimeoutEnabled: true})
	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("users:"))
	if err != nil {
		return nil, err
	}
	return backends.WithCodec(store, backends.JSON[User]())
}

func onDisk(dir string) (backends.Backend[User], error) {
	store, err := badgerbackend.Open(dir)
	if err != nil {
		return nil, err
	}
	return backends.WithCodec(store, backends.JSON[User]())
}

func guarded(store backends.Backend[[]byte]) (backends.Backend[User], error) {
	store, err := failsafebackend.New(store,
		failsafebackend.WithRetry(2, 10*time.Millisecond, time.Second),
		failsafebackend.WithCircuitBreaker(5, 10*time.Second))
	if err != nil {
		return nil, err
	}
	return backends.WithCodec(store, backends.JSON[User]())
}

func TestTiers(t *testing.T) {
	t.Parallel()
	memory, err := badgerbackend.OpenInMemory()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, memory.Close()) })
	for name, open := range map[string]func() (backends.Backend[User], error){
		"in process": inProcess,
		"on disk":    func() (backends.Backend[User], error) { return onDisk(t.TempDir()) },
		"guarded":    func() (backends.Backend[User], error) { return guarded(memory) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tier, err := open()
			require.NoError(t, err)
			require.NoError(t, tier.Set(t.Context(), "42", backends.Entry[User]{Value: User{Name: "Ada"}}))
			entry, ok, err := tier.Get(t.Context(), "42")
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, "Ada", entry.Value.Name)
		})
	}
}

// The failure is certain: the server cannot be reached.
func TestTiers_NoServer(t *testing.T) {
	t.Parallel()
	tier, err := shared("127.0.0.1:1")
	require.NoError(t, err)
	err = tier.Set(t.Context(), "42", backends.Entry[User]{})
	assert.True(t, backends.CertainlyNotApplied(err), "%v", err)
}

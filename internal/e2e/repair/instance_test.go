package repair

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tracing"
)

const (
	bound      = time.Second            // of coherence
	callLimit  = 200 * time.Millisecond // of a call of Redis
	dialLimit  = 500 * time.Millisecond
	closeLimit = 10 * time.Second
	heartbeat  = 250 * time.Millisecond // of the reader of the log

	logLength = 1_000_000 // longer than any run
)

// instance is like one process of a service.
type instance struct {
	*tiercache.Cache[string]
	network *network.Network // nil: it finds the server by itself
	l1      *otterbackend.Backend[string]
	l2      *secondTier
	readers [2]*sdkmetric.ManualReader
}

// secondTier is L2 with a client of its own.
type secondTier = backends.Coded[string]

func startServer(t *testing.T, args ...string) *server.Redis {
	t.Helper()
	s, err := server.StartRedis(t.Context(), args...)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

// newInstance returns one that is in sync.
func newInstance(t *testing.T, s *server.Redis, change func(l2 *secondTier) backends.Backend[string], opts ...tiercache.Option) *instance {
	t.Helper()
	n, err := network.Start(t.Context(), s.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	i := newInstanceOver(t, redis.NewClient(clientOptions(n.Addr())), change, opts...)
	i.network = n
	return i
}

// clientOptions are those of a client that repeats nothing, so that it is known how often
// a command was sent.
func clientOptions(addr string) *redis.Options {
	return &redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: dialLimit, ReadTimeout: patience,
		DialerRetries: 1, DisableIdentity: true, PoolSize: 200,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// newL2 returns the tier over a client, which is closed at the end.
func newL2(t *testing.T, client redis.UniversalClient) *secondTier {
	t.Helper()
	store, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog(),
		redisbackend.WithLogLength(logLength), redisbackend.WithWriteRetries(0))
	require.NoError(t, err)
	l2, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return l2
}

func newInstanceOver(t *testing.T, client redis.UniversalClient, change func(l2 *secondTier) backends.Backend[string], opts ...tiercache.Option) *instance {
	t.Helper()
	i := &instance{l2: newL2(t, client)}
	var second backends.Backend[string] = i.l2
	if change != nil {
		second = change(i.l2)
	}
	var err error
	i.l1, err = otterbackend.New[string](otterbackend.WithMaximumSize(100_000))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, i.l1.Close()) })
	var meters []sdkmetric.Option
	for r := range i.readers {
		i.readers[r] = sdkmetric.NewManualReader()
		meters = append(meters, sdkmetric.WithReader(i.readers[r]))
	}
	i.Cache, err = tiercache.New("users", i.l1, second, append([]tiercache.Option{
		tiercache.WithCoherence(bound, tiercache.AskL2),
		tiercache.WithWriteTimeout(callLimit), tiercache.WithReadTimeout(callLimit),
		tiercache.WithTelemetry(tracing.WithMeterProvider(sdkmetric.NewMeterProvider(meters...)), tracing.Disabled()),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { i.close(t) })
	i.await(t, "it is in sync", func() bool { return i.Status().Coherence.Trusted })
	return i
}

// close ends the cache. Keys that are open are not the matter of who closes it.
func (i *instance) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), closeLimit)
	defer cancel()
	if err := i.Close(ctx); !errors.Is(err, tiercache.ErrDiverged) {
		assert.NoError(t, err)
	}
}

func (*instance) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, patience, time.Millisecond, what)
}

// pause returns early, and false, when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

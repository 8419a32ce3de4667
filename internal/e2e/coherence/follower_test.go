package coherence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// follower is a cache whose way to the server can be cut, and whose telemetry is kept.
type follower struct {
	*tiercache.Cache[string]
	network *network.Network
	lines   *lockedBuffer
	reader  *sdkmetric.ManualReader
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func startServer(tb testing.TB, args ...string) *server.Redis {
	tb.Helper()
	s, err := server.StartRedis(tb.Context(), args...)
	require.NoError(tb, err)
	tb.Cleanup(s.Stop)
	return s
}

// newFollower returns a cache that is in sync.
func newFollower(t *testing.T, s *server.Redis) *follower {
	t.Helper()
	f := unsyncedFollower(t, s, "")
	f.awaitTrust(t)
	return f
}

func unsyncedFollower(t *testing.T, s *server.Redis, user string) *follower {
	t.Helper()
	f := &follower{network: newNetwork(t, s.Addr), lines: new(lockedBuffer), reader: sdkmetric.NewManualReader()}
	f.Cache = newCache(t, client{f.network.Addr(), user}, newL1(t), coherent(), tiercache.WithTelemetry(
		tracing.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(f.reader))),
		tracing.WithSlog(slog.New(slog.NewJSONHandler(f.lines, nil))), tracing.Disabled()))
	return f
}

func newL1(tb testing.TB) *otterbackend.Backend[string] {
	tb.Helper()
	l1, err := otterbackend.New[string](otterbackend.WithMaximumSize(100_000))
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, l1.Close()) })
	return l1
}

// longBound is the bound where events are counted: a machine that is only busy should not
// exceed it.
const longBound = 2 * bound

func coherent() tiercache.Option { return tiercache.WithCoherence(longBound, tiercache.AskL2) }

// client says how a cache reaches the server. The password of a user is its name.
type client struct{ addr, user string }

// newCache returns a cache like that of another process. Without the option it does not
// read the log, though its writes are in it.
func newCache(tb testing.TB, c client, l1 backends.Backend[string], opts ...tiercache.Option) *tiercache.Cache[string] {
	tb.Helper()
	conns := redis.NewClient(&redis.Options{
		Addr: c.addr, Username: c.user, Password: c.user, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
		DisableIdentity: true,
	})
	tb.Cleanup(func() { assert.NoError(tb, conns.Close()) })
	store, err := redisbackend.New(conns, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(tb, err)
	l2, err := backends.WithCodec(store, backends.String())
	require.NoError(tb, err)
	cache, err := tiercache.New("users", l1, l2, append([]tiercache.Option{
		tiercache.WithTelemetry(tracing.Disabled()),
	}, opts...)...)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), closeLimit)
		defer cancel()
		assert.NoError(tb, cache.Close(ctx))
	})
	return cache
}

func (f *follower) awaitTrust(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return f.Status().Coherence.Trusted }, patience, time.Millisecond)
}

// read returns how a key was found.
func (f *follower) read(t *testing.T, key string) string {
	t.Helper()
	var text string
	require.Eventually(t, func() bool { // connections may have to be made anew
		entry, ok, err := f.GetEntry(t.Context(), key)
		text = fmt.Sprintf("%s (%s)", entry.Value, entry.Tier)
		if !ok {
			text = "none"
		}
		return err == nil
	}, patience, 10*time.Millisecond)
	return text
}

// events returns the events of coherence that were logged, in short.
func (f *follower) events(t *testing.T) (events []string) {
	t.Helper()
	for line := range strings.Lines(f.lines.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		if name, _ := fields["event"].(string); strings.HasPrefix(name, "tiercache.coherence.") {
			events = append(events, fmt.Sprintf("%s %s",
				strings.TrimPrefix(name, "tiercache.coherence."), fields[string(tracing.AttrCoherenceCause)]))
		}
	}
	return events
}

// gaps returns how many there were of each cause.
func (f *follower) gaps(t *testing.T) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, f.reader.Collect(t.Context(), &data))
	gaps := make(map[string]int64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if points, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == tracing.MetricCoherenceGaps {
				for _, p := range points.DataPoints {
					if cause, _ := p.Attributes.Value(tracing.AttrCoherenceCause); p.Value != 0 {
						gaps[cause.AsString()] += p.Value
					}
				}
			}
		}
	}
	return gaps
}

// readAll reads keys from several goroutines, and returns how many L1 answered.
func (f *follower) readAll(t *testing.T, all []string) (inL1 int) {
	t.Helper()
	const readers = 8
	var hits [readers]int
	var wg sync.WaitGroup
	for r := range readers {
		wg.Go(func() {
			for i := r; i < len(all); i += readers {
				entry, ok, err := f.GetEntry(t.Context(), all[i])
				assert.NoError(t, err)
				assert.True(t, ok)
				if entry.Tier == tier.L1 && !entry.Stale {
					hits[r]++
				}
			}
		})
	}
	wg.Wait()
	for _, n := range hits {
		inL1 += n
	}
	return inL1
}

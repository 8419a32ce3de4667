package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// The end of the service waits for a write that is under way, and its spans are
// exported.
func TestShutdown_DrainsTheCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Next(tier.Set, backendtest.Delay(300*time.Millisecond))
		go f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		time.Sleep(f.opts.databaseDelay + time.Millisecond)
		require.Equal(t, 1, f.l2.Calls(tier.Set), "the write has begun")

		begun := time.Now()
		require.NoError(t, f.shutdown(t.Context()))
		assert.Equal(t, 299*time.Millisecond, time.Since(begun))
		assert.JSONEq(t, `{"id":"7","name":"Ada"}`, f.stored(t))
		assert.Equal(t, "299ms", f.logs.must(t, "shutdown: waited for writes of the cache")["took"])
	})
}

// It takes no longer than it may, and names the operations that did not end.
func TestShutdown_Bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *options) { o.writeTimeout, o.shutdownTimeout = time.Hour, time.Second })
		gate := backendtest.NewGate()
		f.l2.Next(tier.Set, gate.Before())
		go f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		<-gate.Arrived()

		begun := time.Now()
		err := f.shutdown(t.Context())
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "shutdown: writes of the cache: ")
		assert.Equal(t, time.Second, time.Since(begun))
		assert.Equal(t, "ERROR", f.logs.must(t, "shutdown: timed out waiting for writes of the cache")["level"])
		gate.Open()
	})
}

// A request that takes longer than the end may is cut off.
func TestShutdown_CutsOffRequests(t *testing.T) {
	t.Parallel()
	s := start(t, "-database-delay", "1h", "-shutdown-timeout", "100ms")
	cut := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/users/7", http.NoBody)
		if err == nil {
			var resp *http.Response
			if resp, err = http.DefaultClient.Do(req); err == nil {
				err = resp.Body.Close()
			}
		}
		cut <- err
	}()
	await(t, "the request is there", func() bool {
		_, metrics := s.send(t, "GET", "/metrics", "")
		return strings.Contains(metrics, `tiercache_lookups_total{tiercache_cache_name="users",tiercache_lookup_result="miss",tiercache_tier_name="l2"} 1`)
	})
	assert.Equal(t, statusFailed, s.end(t))
	select {
	case err := <-cut:
		assert.Error(t, err)
	case <-time.After(10 * time.Second):
		assert.Fail(t, "the request goes on")
	}
	assert.Contains(t, s.logs.must(t, "shutdown: timed out waiting for requests")["error"], "deadline exceeded")
}

// A function that knows no context does not hold the end up.
func TestWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		release := make(chan struct{})
		begun := time.Now()
		err := within(func() error { <-release; return nil })(ctx)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begun))
		close(release)

		assert.NoError(t, within(func() error { return nil })(t.Context()))
	})
}

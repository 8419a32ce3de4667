package tiercachedebug_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachedebug"
	"github.com/tiercache/tiercache/tiercachetest"
)

const secret = "user:4711:token"

var errRefused = errors.New("refused")

// newDiverged returns a cache with one lookup and one inconsistency, of a secret key.
func newDiverged(t *testing.T, h *tiercachedebug.Handler) *tiercachetest.Fixture[string] {
	t.Helper()
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, append(rec.Options(), tiercache.WithInconsistencyHook(h.Record))...)
	require.NoError(t, h.Add(f.Cache))
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0xab}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	require.ErrorIs(t, f.Set(ctx, secret, "1", time.Hour), tiercache.ErrInconsistent)
	_, ok, err := f.Get(ctx, secret)
	require.NoError(t, err)
	require.True(t, ok)
	return f
}

// ask returns the answer to a request, with headers as pairs.
func ask(t *testing.T, h http.Handler, method, target string, headers ...string) (answer *httptest.ResponseRecorder, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer = httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer, answer.Body.String()
}

func TestHandler_JSON(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	newDiverged(t, h)
	answer, body := ask(t, h, http.MethodGet, "/?format=json")
	assert.Equal(t, http.StatusOK, answer.Code)
	assert.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", answer.Header().Get("Cache-Control"))

	var got struct {
		Caches []struct {
			Name   string
			Status struct{ Coherence map[string]any }
			Stats  map[string]any
		}
		Inconsistencies []map[string]any
		Hidden          bool `json:"keys_hidden"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got), body)
	require.Len(t, got.Caches, 1)
	assert.Equal(t, "users", got.Caches[0].Name)
	assert.Equal(t, false, got.Caches[0].Status.Coherence["on"])
	assert.Contains(t, got.Caches[0].Status.Coherence, "synced_age_seconds")
	assert.Equal(t, map[string]any{"hits": 1.0, "misses": 0.0, "errors": 0.0}, got.Caches[0].Stats["l1"])
	assert.InDelta(t, 1, got.Caches[0].Stats["inconsistencies"], 0)
	require.Len(t, got.Inconsistencies, 1)
	assert.Equal(t, "ab000000000000000000000000000000", got.Inconsistencies[0]["trace_id"])
	assert.Equal(t, true, got.Inconsistencies[0]["sampled"])
	assert.Equal(t, "l2", got.Inconsistencies[0]["stale_tier"])
	assert.True(t, got.Hidden)
}

func TestHandler_Page(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	newDiverged(t, h)
	answer, body := ask(t, h, http.MethodGet, "/")
	assert.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	assert.Contains(t, answer.Header().Get("Content-Security-Policy"), "default-src 'none'")
	assert.Contains(t, body, "<h2>users</h2>")
	assert.Contains(t, body, `Inconsistencies: <span class="alarm">1</span>`)
	assert.Contains(t, body, `<td>L1</td><td class="n">1</td><td class="n">0</td><td class="n">0</td><td class="n">100.0 %</td>`)
	assert.Contains(t, body, "<code>ab000000000000000000000000000000</code>")
}

func TestHandler_Keys(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/", "/?format=json", "/?keys=1", "/?format=json&keys=true"} {
		hidden := tiercachedebug.New()
		newDiverged(t, hidden)
		_, body := ask(t, hidden, http.MethodGet, target)
		assert.NotContains(t, body, secret, target)

		shown := tiercachedebug.New(tiercachedebug.WithKeys(), nil)
		newDiverged(t, shown)
		_, body = ask(t, shown, http.MethodGet, target)
		assert.Contains(t, body, secret, target)
		assert.NotContains(t, body, "keys are hidden")
	}
}

func TestHandler_Formats(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	for _, test := range []struct {
		method, target, accept string
		status                 int
		kind                   string
	}{
		{http.MethodGet, "/", "", 200, "text/html"},
		{http.MethodGet, "/", "application/json", 200, "application/json"},
		{http.MethodGet, "/", "text/html,application/json", 200, "text/html"},
		{http.MethodGet, "/?format=html", "application/json", 200, "text/html"},
		{http.MethodHead, "/?format=json", "", 200, "application/json"},
		{http.MethodGet, "/?format=xml", "", 400, "text/plain"},
		{http.MethodPost, "/", "", 405, "text/plain"},
	} {
		answer, _ := ask(t, h, test.method, test.target, "Accept", test.accept)
		assert.Equal(t, test.status, answer.Code, "%+v", test)
		assert.Contains(t, answer.Header().Get("Content-Type"), test.kind, "%+v", test)
	}
	_, body := ask(t, h, http.MethodGet, "/")
	assert.Contains(t, body, "No cache was added.")
	_, body = ask(t, h, http.MethodGet, "/?format=json")
	assert.JSONEq(t, `{"caches": [], "inconsistencies": [], "keys_hidden": true}`, body)
}

func TestHandler_AddRemove(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	f := newDiverged(t, h)
	require.ErrorIs(t, h.Add(f.Cache, nil), tiercache.ErrInvalid)
	require.ErrorIs(t, h.Add((*tiercache.Cache[int])(nil)), tiercache.ErrInvalid)
	require.NoError(t, h.Add(f.Cache))
	_, body := ask(t, h, http.MethodGet, "/")
	assert.Equal(t, 1, strings.Count(body, "<h2>users</h2>"), "once, although it was added twice")
	require.NoError(t, f.Close(t.Context()))
	_, body = ask(t, h, http.MethodGet, "/")
	assert.Contains(t, body, "<h2>users</h2>", "the counts of a closed cache stay")
	h.Remove(f.Cache)
	_, body = ask(t, h, http.MethodGet, "/")
	assert.NotContains(t, body, "<h2>users</h2>")
}

func TestHandler_KeepsTheLatest(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New(tiercachedebug.WithKeys())
	for i := range 60 {
		h.Record(t.Context(), tiercache.Inconsistency{Cache: "users", Key: fmt.Sprintf("key-%02d.", i)})
	}
	_, body := ask(t, h, http.MethodGet, "/?format=json")
	assert.NotContains(t, body, "key-09.")
	assert.Equal(t, 50, strings.Count(body, `"key": "key-`))
	assert.Less(t, strings.Index(body, "key-59."), strings.Index(body, "key-10."), "the latest first")
}

// stranger is a cache of somebody else.
type stranger struct{ status func() tiercache.Status }

func (stranger) Name() string               { return "<script>" }
func (s stranger) Status() tiercache.Status { return s.status() }
func (stranger) Stats() tiercache.Stats     { return tiercache.Stats{} }

func TestHandler_Strangers(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	require.NoError(t, h.Add(stranger{func() tiercache.Status { panic(secret) }}))
	newDiverged(t, h)
	_, body := ask(t, h, http.MethodGet, "/")
	assert.Contains(t, body, "the cache panicked")
	assert.Contains(t, body, "<h2>&lt;script&gt;</h2>", "a name is no markup")
	assert.NotContains(t, body, secret)
	assert.Contains(t, body, "<h2>users</h2>")
}

func TestHandler_CoherenceLost(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	require.NoError(t, h.Add(stranger{func() tiercache.Status {
		return tiercache.Status{Coherence: tiercache.CoherenceStatus{On: true, Cause: "trimmed", Since: time.Unix(0, 0), SyncedAge: 1500 * time.Millisecond}}
	}}))
	_, body := ask(t, h, http.MethodGet, "/")
	assert.Contains(t, body, `<span class="alarm">not trusted: trimmed</span>`)
	assert.Contains(t, body, "Metrics are off, so nothing is counted.")
	_, body = ask(t, h, http.MethodGet, "/?format=json")
	assert.Contains(t, body, `"synced_age_seconds": 1.5`)
	assert.Contains(t, body, `"since": "1970-01-01T00:00:00Z"`)
	assert.Contains(t, body, `"cause": "trimmed"`)
}

func TestHandler_Repair(t *testing.T) {
	t.Parallel()
	waiting := stranger{func() tiercache.Status {
		return tiercache.Status{Repair: tiercache.RepairStatus{On: true, Open: 1, Keys: []tiercache.OpenKey{{Key: secret, Cause: "missing"}}}}
	}}
	hidden, shown := tiercachedebug.New(), tiercachedebug.New(tiercachedebug.WithKeys())
	require.NoError(t, hidden.Add(waiting))
	require.NoError(t, shown.Add(waiting))
	for _, target := range []string{"/", "/?format=json"} {
		_, body := ask(t, hidden, http.MethodGet, target)
		assert.NotContains(t, body, secret)
		assert.Contains(t, body, "missing")
		_, body = ask(t, shown, http.MethodGet, target)
		assert.Contains(t, body, secret)
	}
	_, body := ask(t, hidden, http.MethodGet, "/")
	assert.Contains(t, body, `keys that wait for repair: <span class="alarm">1</span>`)
}

func TestHandler_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	h := tiercachedebug.New()
	f := newDiverged(t, h)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			h.Remove(f.Cache)
			assert.NoError(t, h.Add(f.Cache))
		})
		all.Go(func() { h.Record(t.Context(), tiercache.Inconsistency{}) })
		all.Go(func() { ask(t, h, http.MethodGet, "/") })
	}
	all.Wait()
}

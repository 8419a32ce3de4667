package main

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

var errDown = errors.New("down")

// follow has the fixture follow the changes in L2 until the test ends.
func (f *fixture) follow(t *testing.T) {
	t.Helper()
	select {
	case <-f.log.Watched():
	case <-time.After(time.Minute):
		require.FailNow(t, "the cache does not follow the changes in L2")
	}
	go func() {
		heartbeat := time.NewTicker(250 * time.Millisecond)
		defer heartbeat.Stop()
		for {
			f.log.Sync()
			select {
			case <-heartbeat.C:
			case <-t.Context().Done():
				return
			}
		}
	}()
	synctest.Wait()
}

// While L2 refuses calls, readers get what the database has; when it answers again, the
// cache repairs the key, in a trace that is linked to that of the write.
func TestRepair_WithCoherence(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method, body string
		status       int // of a reader
		span         string
	}{
		"set":    {"PUT", `{"name":"Ada"}`, 200, "set users"},
		"delete": {"DELETE", "", 404, "delete users"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, func(o *options) { o.coherence = time.Second })
				f.follow(t)
				require.Equal(t, 200, f.do(t, "GET", "/users/7", "").Code)
				for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
					f.l2.Always(call, backendtest.FailBefore(errDown))
				}
				assert.NotEmpty(t, f.do(t, tt.method, "/users/7", tt.body).Header().Get("Cache-Status"))
				assert.Equal(t, 1, f.users.status().Repair.Open)
				assert.NotEmpty(t, f.users.status().Repair.Oldest)
				f.reads(t, tt.status)

				f.l2.Clear()
				f.reads(t, tt.status)
				time.Sleep(time.Minute)
				open := f.users.status().Repair
				assert.Zero(t, open.Open)
				assert.NotZero(t, open.Closed)
				assert.NotContains(t, f.stored(t), "User 7", "the older user")
				f.reads(t, tt.status)

				wrote := slices.DeleteFunc(spansNamed(f, tt.span), func(s tracetest.SpanStub) bool { return s.Status.Code != codes.Error })
				attempts := spansNamed(f, "repair users")
				require.NotEmpty(t, attempts)
				first := attempts[0]
				assert.False(t, first.Parent.IsValid(), "a trace of its own")
				require.Len(t, first.Links, 1)
				assert.Equal(t, wrote[0].SpanContext.TraceID(), first.Links[0].SpanContext.TraceID())
			})
		})
	}
}

// reads requires that a reader of user 7 gets what the database has.
func (f *fixture) reads(t *testing.T, status int) {
	t.Helper()
	w := f.do(t, "GET", "/users/7", "")
	assert.Equal(t, status, w.Code)
	assert.NotContains(t, w.Body.String(), "User 7", "the older user")
}

// Without coherence, L1 drops what L2 may not have: the tiers agree.
func TestRepair_WithoutCoherence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		require.Equal(t, 200, f.do(t, "GET", "/users/7", "").Code)
		f.l2.Next(tier.Set, backendtest.FailBefore(errDown))
		assert.Contains(t, f.do(t, "PUT", "/users/7", `{"name":"Ada"}`).Header().Get("Cache-Status"), "not updated")
		_, ok, err := f.stores.l1.Get(t.Context(), "7")
		require.NoError(t, err)
		assert.False(t, ok)
		synctest.Wait()
		open := f.users.status().Repair
		assert.Equal(t, repairs{Closed: 1}, open)
	})
}

// A database that has committed, and whose answer was lost, has the cache forget the user,
// also when L2 is down meanwhile.
func TestRepair_CommitWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]bool{"L2 works": false, "L2 is down": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, func(o *options) { o.coherence = time.Second })
				f.follow(t)
				require.Equal(t, 200, f.do(t, "GET", "/users/7", "").Code)
				_, err := f.users.db.put(t.Context(), user{ID: "7", Name: "v2"})
				require.NoError(t, err)
				if down {
					f.l2.Always(tier.Delete, backendtest.FailBefore(errDown))
				}
				f.users.unsure(t.Context(), "7")
				_, warned := f.logs.find(t, "the database may have been written, and the cache may be older")
				assert.Equal(t, down, warned)
				f.reads(t, 200)
				f.l2.Clear()
				time.Sleep(time.Minute)
				assert.Zero(t, f.users.status().Repair.Open)
				f.reads(t, 200)
				assert.JSONEq(t, `{"id":"7","name":"v2"}`, f.stored(t))
			})
		})
	}
}

// Keys that are open at the end are no failure of it, and the log has their number.
func TestRepair_LeftAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *options) { o.coherence = time.Second })
		f.follow(t)
		f.l2.Always(tier.Set, backendtest.FailBefore(errDown))
		f.l2.Always(tier.Get, backendtest.FailBefore(errDown))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		require.NoError(t, f.shutdown(t.Context()))
		assert.Contains(t, f.logs.must(t, "the cache has not repaired all keys")["error"], "1 keys")
	})
}

package main

import (
	"context"
	"errors"
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

func TestHandlers_Answers(t *testing.T) {
	t.Parallel()
	name := func(n int) string { return `{"name":"` + strings.Repeat("x", n) + `"}` }
	for what, tt := range map[string]struct {
		method, path, body string
		status             int
		answer             string
	}{
		"known user":            {"GET", "/users/7", "", 200, `{"id":"7","name":"User 7"}`},
		"last user":             {"GET", "/users/1000", "", 200, `{"id":"1000","name":"User 1000"}`},
		"unknown user":          {"GET", "/users/1001", "", 404, `{"error":"there is no such user"}`},
		"new user":              {"PUT", "/users/ada", `{"name":"Ada"}`, 200, `{"id":"ada","name":"Ada"}`},
		"longest name":          {"PUT", "/users/7", name(maxName), 200, ""},
		"name too long":         {"PUT", "/users/7", name(maxName + 1), 400, `{"error":"the name is too long"}`},
		"body too large":        {"PUT", "/users/7", name(maxBody), 413, `{"error":"the body is too large"}`},
		"no body":               {"PUT", "/users/7", "", 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"no JSON":               {"PUT", "/users/7", "Ada", 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"no name":               {"PUT", "/users/7", `{}`, 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"unknown field":         {"PUT", "/users/7", `{"name":"Ada","id":"8"}`, 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"more than one value":   {"PUT", "/users/7", `{"name":"Ada"}{}`, 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"wrong type":            {"PUT", "/users/7", `{"name":7}`, 400, `{"error":"the body must be {\"name\":\"...\"}"}`},
		"delete":                {"DELETE", "/users/7", "", 204, ""},
		"delete unknown user":   {"DELETE", "/users/1001", "", 204, ""},
		"id too long":           {"GET", "/users/" + strings.Repeat("1", maxID+1), "", 400, `{"error":"the id is too long"}`},
		"wrong method":          {"POST", "/users/7", "", 405, `{"error":"use GET, PUT or DELETE"}`},
		"wrong path":            {"GET", "/accounts", "", 404, `{"error":"there is nothing here: GET, PUT or DELETE /users/{id}"}`},
		"no id":                 {"GET", "/users/", "", 404, `{"error":"there is nothing here: GET, PUT or DELETE /users/{id}"}`},
		"id with special runes": {"GET", "/users/%2F%00%22", "", 404, `{"error":"there is no such user"}`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t).do(t, tt.method, tt.path, tt.body)
				assert.Equal(t, tt.status, w.Code)
				if tt.answer != "" {
					assert.JSONEq(t, tt.answer, w.Body.String())
				}
				if w.Code != http.StatusNoContent {
					assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
				}
				assert.Equal(t, w.Code == http.StatusMethodNotAllowed, w.Header().Get("Allow") != "")
				assert.Empty(t, w.Header().Get("Cache-Status"))
			})
		})
	}
}

func TestHandlers_GetIsCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for _, want := range []time.Duration{100 * time.Millisecond, 0} {
			begun := time.Now()
			assert.Equal(t, http.StatusOK, f.do(t, "GET", "/users/7", "").Code)
			assert.Equal(t, want, time.Since(begun))
		}
		asked := f.l2.Calls(tier.Get)
		time.Sleep(l1TTL) // of the bubble
		begun := time.Now()
		assert.Equal(t, http.StatusOK, f.do(t, "GET", "/users/7", "").Code)
		assert.Zero(t, time.Since(begun), "L2 still has it")
		assert.Equal(t, asked+1, f.l2.Calls(tier.Get), "L1 does not")

		time.Sleep(f.opts.ttl - l1TTL)
		begun = time.Now()
		assert.Equal(t, http.StatusOK, f.do(t, "GET", "/users/7", "").Code)
		assert.Equal(t, f.opts.databaseDelay, time.Since(begun), "it has expired")
	})
}

// A cache that fails is no failure of the request: the database has the truth.
func TestHandlers_CacheFails(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		call         tier.Kind
		method, body string
		fault        backendtest.Fault
		status       int
		took         time.Duration
		detail       string
	}{
		"put, refused":    {tier.Set, "PUT", `{"name":"Ada"}`, backendtest.FailBefore(errors.New("disk full")), 200, 0, "not updated"},
		"put, hangs":      {tier.Set, "PUT", `{"name":"Ada"}`, backendtest.Hang(), 200, 500 * time.Millisecond, "tiers may differ"},
		"put, no answer":  {tier.Set, "PUT", `{"name":"Ada"}`, backendtest.ApplyThenHang(), 200, 500 * time.Millisecond, "tiers may differ"},
		"delete, refused": {tier.Delete, "DELETE", "", backendtest.FailBefore(errors.New("disk full")), 204, 0, "not updated"},
		"delete, hangs":   {tier.Delete, "DELETE", "", backendtest.Hang(), 204, 500 * time.Millisecond, "tiers may differ"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.l2.Next(tt.call, tt.fault)
				begun := time.Now()
				w := f.do(t, tt.method, "/users/7", tt.body)
				assert.Equal(t, tt.status, w.Code)
				assert.Equal(t, `tiercache; detail="`+tt.detail+`"`, w.Header().Get("Cache-Status"))
				assert.Equal(t, tt.took+f.opts.databaseDelay, time.Since(begun))
				assert.Equal(t, "WARN", f.logs.must(t, "the database was written, but the cache was not")["level"])

				u, err := f.users.db.get(t.Context(), "7")
				if tt.method == "PUT" {
					require.NoError(t, err)
					assert.Equal(t, "Ada", u.Name)
				} else {
					assert.Error(t, err)
				}
			})
		})
	}
}

// A cache that is closed was not updated, and its tiers are equal.
func TestHandlers_CacheIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		require.NoError(t, f.users.cache.Close(t.Context()))
		w := f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, `tiercache; detail="not updated"`, w.Header().Get("Cache-Status"))
		assert.Equal(t, http.StatusInternalServerError, f.do(t, "GET", "/users/8", "").Code)
	})
}

// A client that leaves after the database has its value does not keep the cache
// from it; one that leaves before changes nothing.
func TestHandlers_ClientLeaves(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		after  time.Duration
		status int
		stored string
	}{
		"while the database is written": {50 * time.Millisecond, 503, "Grace"},
		"while the cache is busy":       {150 * time.Millisecond, 200, "Ada"},
		"while the cache is written":    {350 * time.Millisecond, 200, "Ada"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.l2.Always(tier.Set, backendtest.Delay(200*time.Millisecond))
				// Another writer has the key's lock from 100 to 300 ms.
				go f.do(t, "PUT", "/users/7", `{"name":"Grace"}`)
				time.Sleep(10 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), tt.after)
				defer cancel()
				w := f.serve(newRequest(t, "PUT", "/users/7", `{"name":"Ada"}`).WithContext(ctx))
				assert.Equal(t, tt.status, w.Code)
				time.Sleep(time.Second)
				assert.JSONEq(t, `{"id":"7","name":"`+tt.stored+`"}`, f.stored(t))
			})
		})
	}
}

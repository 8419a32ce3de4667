package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// L2 refuses writes for a while; then the tiers are made equal again, and each
// attempt is a trace of its own that is linked to the write.
func TestRepair_Repairs(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		method, body string
		stored       string
		span         string
	}{
		"set":    {"PUT", `{"name":"Ada"}`, `{"id":"7","name":"Ada"}`, "set users"},
		"delete": {"DELETE", "", "", "delete users"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.startRepair(t.Context())
				require.Equal(t, 200, f.do(t, "GET", "/users/7", "").Code)
				down := backendtest.FailBefore(errors.New("down"))
				f.l2.Always(tier.Set, down)
				f.l2.Always(tier.Delete, down)
				f.do(t, tt.method, "/users/7", tt.body)
				time.Sleep(time.Second)
				assert.JSONEq(t, `{"id":"7","name":"User 7"}`, f.stored(t), "it is stale")
				assert.Equal(t, 1, f.users.repair.open())

				f.l2.Clear()
				time.Sleep(maxPause + time.Second)
				assert.Equal(t, tt.stored, f.stored(t), "it is what the database has")
				assert.Zero(t, f.users.repair.open())
				assert.Equal(t, "INFO", f.logs.must(t, "the tiers are equal again")["level"])

				wrote := spansNamed(f, tt.span)
				wrote = slices.DeleteFunc(wrote, func(s tracetest.SpanStub) bool { return s.Status.Code != codes.Error })
				attempts := spansNamed(f, "repair users")
				assert.Greater(t, len(attempts), 2)
				for _, span := range attempts {
					assert.False(t, span.Parent.IsValid(), "a trace of its own")
					require.Len(t, span.Links, 1)
					assert.Equal(t, wrote[0].SpanContext.TraceID(), span.Links[0].SpanContext.TraceID())
				}
			})
		})
	}
}

// Another instance writes the user while it is being repaired: the repair does not bring
// the older value back.
func TestRepair_NewerWriteWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Next(tier.Set, backendtest.FailBefore(errors.New("down")))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)

		gate := backendtest.NewGate()
		f.l2.Next(tier.Set, gate.Before())
		f.startRepair(t.Context())
		<-gate.Arrived() // it has read Ada, and is about to write
		_, err := f.another(t).put(t.Context(), user{ID: "7", Name: "Grace"})
		require.NoError(t, err)
		gate.Open()
		time.Sleep(time.Minute)
		assert.JSONEq(t, `{"id":"7","name":"Grace"}`, f.stored(t))
		u, err := f.users.get(t.Context(), "7")
		require.NoError(t, err)
		assert.Equal(t, "Grace", u.Name)
		assert.Zero(t, f.users.repair.open())
	})
}

// A key waits once, however often it diverges, and whoever wrote it.
func TestRepair_QueuesAKeyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Always(tier.Set, backendtest.FailBefore(errors.New("down")))
		for range 3 {
			f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		}
		assert.Len(t, f.users.repair.queue, 1)
		f.startRepair(t.Context())
		time.Sleep(time.Minute)
		assert.Len(t, f.users.repair.queue, 1)
		assert.Equal(t, 1, f.users.repair.open())

		require.NoError(t, f.endRepair(t.Context()))
		assert.InDelta(t, 1, f.logs.must(t, "the tiers may differ in keys that were not repaired, until they expire")["keys"], 0)
	})
}

// When an entry has expired, there is nothing to repair any more.
func TestRepair_GivesUpWhatHasExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Always(tier.Set, backendtest.FailBefore(errors.New("down")))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		f.startRepair(t.Context())
		time.Sleep(f.opts.ttl - time.Second)
		assert.Equal(t, 1, f.users.repair.open())
		time.Sleep(time.Minute)
		assert.Zero(t, f.users.repair.open())
		assert.Contains(t, f.do(t, "GET", "/metrics", "").Body.String(), `users_repairs_total{result="expired"} 1`)
	})
}

// A user who is deleted while being repaired does not come back, and one who comes
// back does not stay away.
func TestRepair_SeesDeletesAndReturns(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		first, second string
		repair        tier.Kind // what it is about to do
		stored        string
	}{
		"deleted":  {"PUT", "DELETE", tier.Set, ""},
		"returned": {"DELETE", "PUT", tier.Delete, `{"id":"7","name":"Ada"}`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				down := backendtest.FailBefore(errors.New("down"))
				f.l2.Next(tier.Set, down)
				f.l2.Next(tier.Delete, down)
				f.do(t, tt.first, "/users/7", `{"name":"Ada"}`)
				f.l2.Clear()
				require.Equal(t, 1, f.users.repair.open())

				gate := backendtest.NewGate()
				f.l2.Next(tt.repair, gate.Before())
				f.startRepair(t.Context())
				<-gate.Arrived()
				other := f.another(t)
				if tt.second == "PUT" {
					_, err := other.put(t.Context(), user{ID: "7", Name: "Ada"})
					require.NoError(t, err)
				} else {
					require.NoError(t, other.remove(t.Context(), "7"))
				}
				gate.Open()
				time.Sleep(time.Minute)
				assert.Equal(t, tt.stored, f.stored(t))
				_, err := f.users.db.get(t.Context(), "7")
				assert.Equal(t, tt.stored == "", err != nil)
			})
		})
	}
}

// The TTL counts from the last divergence of the key.
func TestRepair_KnowsTheNewestCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Always(tier.Set, backendtest.FailBefore(errors.New("down")))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		time.Sleep(f.opts.ttl / 2)
		f.do(t, "PUT", "/users/7", `{"name":"Grace"}`)
		time.Sleep(f.opts.ttl / 2)
		f.l2.Clear()
		f.startRepair(t.Context())
		time.Sleep(time.Second)
		assert.JSONEq(t, `{"id":"7","name":"Grace"}`, f.stored(t), "it was not given up")
	})
}

// A full queue holds nobody up, and is known.
func TestRepair_DropsWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for i := range maxWaiting {
			f.users.repair.add(t.Context(), strconv.Itoa(i), damage{since: time.Now()})
		}
		f.l2.Next(tier.Set, backendtest.FailBefore(errors.New("down")))
		begun := time.Now()
		assert.Equal(t, 200, f.do(t, "PUT", "/users/ada", `{"name":"Ada"}`).Code)
		assert.Equal(t, f.opts.databaseDelay, time.Since(begun))
		assert.Equal(t, maxWaiting, f.users.repair.open())
		assert.Equal(t, "ERROR", f.logs.must(t, "too many keys are to be repaired: this one stays stale until it expires")["level"])
		assert.Contains(t, f.do(t, "GET", "/metrics", "").Body.String(), `users_repairs_total{result="dropped"} 1`)
	})
}

// A user who is written all the time is repaired as any other: the cache goes by the
// version, so the repair need not wait for a pause.
func TestRepair_OfABusyUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Next(tier.Set, backendtest.FailBefore(errors.New("down")))
		f.do(t, "PUT", "/users/7", `{"name":"Busy"}`)
		require.Equal(t, 1, f.users.repair.open())

		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		other := f.another(t)
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, _ = other.put(ctx, user{ID: "7", Name: strconv.Itoa(i)})
			}
		}()
		f.startRepair(t.Context())
		time.Sleep(time.Second)
		assert.Zero(t, f.users.repair.open())
	})
}

// What an attempt to repair leaves different again is counted apart, so that alerts
// can leave it out.
func TestRepair_CountsItsOwnInconsistencies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.l2.Always(tier.Set, backendtest.Lose(errors.New("lost")))
		f.do(t, "PUT", "/users/7", `{"name":"Ada"}`)
		value := func(series string) (n int) {
			t.Helper()
			_, rest, found := strings.Cut(f.do(t, "GET", "/metrics", "").Body.String(), series+" ")
			require.True(t, found, series)
			text, _, _ := strings.Cut(rest, "\n")
			n, err := strconv.Atoi(text)
			require.NoError(t, err)
			return n
		}
		const (
			all = `tiercache_inconsistencies_total{tiercache_cache_name="users",tiercache_inconsistency_resolved="false",tiercache_inconsistency_stale_tier="l1",tiercache_operation_name="set"}`
			own = `users_repair_inconsistencies_total{tiercache_cache_name="users",tiercache_inconsistency_stale_tier="l1"}`
		)
		assert.Equal(t, 1, value(all))
		assert.Zero(t, value(own))
		f.startRepair(t.Context())
		time.Sleep(10 * time.Second)
		assert.Greater(t, value(own), 3)
		assert.Equal(t, value(all)-1, value(own))
	})
}

// A difference that a policy has resolved needs no repair.
func TestRepair_IgnoresWhatIsResolved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		i := tiercache.Inconsistency{Key: "7"}
		i.Verdict.Resolved = true
		f.users.repair.enqueue(t.Context(), i)
		assert.Zero(t, f.users.repair.open())
	})
}

func spansNamed(f *fixture, name string) (found tracetest.SpanStubs) {
	for _, s := range f.spans.GetSpans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What must be in no telemetry but that of HTTP, whose paths have ids.
const (
	secretID   = "ada-c0ffee"
	secretName = "Ada Lovelace"
)

// TestDivergedWrite is what the library is for: Redis hangs, nobody knows whether it has
// a write, and whoever is on call finds that write, why, and which request made it.
func TestDivergedWrite(t *testing.T) {
	t.Parallel()
	jaeger, redis := startJaeger(t), startRedis(t)
	users := startService(t, settings{redis: redis, otlp: jaeger.OTLPHTTP})

	users.warmUp(t)
	users.put(t, secretID, "Ada Byron")
	during(t, redis, func() {
		a := users.put(t, secretID, secretName)
		assert.Contains(t, a.header.Get("Cache-Status"), "tiers may differ")
	})
	found := awaitTree(t, jaeger.QueryURL, users.name, diverged, rootPut, treeDivergedPut)

	t.Run("its statuses say what failed", func(t *testing.T) {
		t.Parallel()
		for name, part := range map[string]string{
			"set users":    "l1 may be stale",
			"set users l2": "l2 set unknown",
		} {
			s := found.span(name)
			assert.Equal(t, "ERROR", s.Tags.get("otel.status_code"), name)
			assert.Contains(t, s.Tags.get("otel.status_description"), part, name)
		}
		for _, name := range []string{rootPut, "invalidate users l1"} {
			assert.Empty(t, found.span(name).Tags.get("otel.status_code"), name)
		}
	})

	t.Run("a healthy write is not found", func(t *testing.T) {
		t.Parallel()
		healthy := awaitTree(t, jaeger.QueryURL, users.name, map[string]string{"tiercache.consistent": "true"}, rootPut, treePut)
		describedOnce(t, &healthy, "set users l2")
		all, err := findTraces(t.Context(), jaeger.QueryURL, users.name, diverged)
		require.NoError(t, err)
		for i := range all {
			assert.NotEqual(t, healthy.TraceID, all[i].TraceID, tree(&all[i]))
		}
	})

	t.Run("the call of Redis is described once", func(t *testing.T) {
		t.Parallel()
		describedOnce(t, &found, "set users l2")
	})

	t.Run("keys and values are not in it", func(t *testing.T) {
		t.Parallel()
		withoutSecrets(t, &found, secretID, secretName)
	})

	t.Run("the log names it", func(t *testing.T) {
		t.Parallel()
		awaitLog(t, users, found.TraceID)
	})

	t.Run("the trace of the repair links to it", func(t *testing.T) {
		t.Parallel()
		links := awaitRepair(t, jaeger.QueryURL, users.name)
		require.Equal(t, []reference{{
			Type: refLink, TraceID: found.TraceID, SpanID: found.span("set users").SpanID,
		}}, links)
		linked, err := getTrace(t.Context(), jaeger.QueryURL, links[0].TraceID)
		require.NoError(t, err)
		assert.Equal(t, treeDivergedPut, tree(&linked))
	})
}

// describedOnce requires that the span of a tier leaves it to the spans of the store's
// client, which are its children, to describe the call.
func describedOnce(t *testing.T, in *trace, name string) {
	t.Helper()
	tier := in.span(name)
	require.NotNil(t, tier, tree(in))
	assert.Equal(t, "internal", tier.Tags.get("span.kind"), tree(in))
	for _, tag := range tier.Tags {
		// Which store the tier is may be said. What was asked of it may not.
		if tag.Key != "db.system.name" {
			assert.False(t, strings.HasPrefix(tag.Key, "db."), "%s has %s=%v", name, tag.Key, tag.Value)
		}
	}
	calls := in.children(tier)
	require.Len(t, calls, 1, tree(in))
	assert.Equal(t, "client", calls[0].Tags.get("span.kind"), tree(in))
	assert.Equal(t, "redis", calls[0].Tags.get("db.system"), tree(in))
	assert.Empty(t, in.children(calls[0]), tree(in))
}

// withoutSecrets requires that no span says any of the secrets, in any tag or event.
func withoutSecrets(t *testing.T, in *trace, secrets ...string) {
	t.Helper()
	for i := range in.Spans {
		s := &in.Spans[i]
		if s.Tags.get("span.kind") == "server" {
			continue
		}
		said := fmt.Sprint(s.Name, s.Tags, s.Logs)
		for _, secret := range secrets {
			assert.NotContains(t, said, secret, "%s: %s", s.Name, said)
		}
	}
}

// awaitRepair waits for the trace of the repair, and returns what its root refers to: no
// parent, but links.
func awaitRepair(t *testing.T, jaegerURL, service string) []reference {
	t.Helper()
	repair := awaitTree(t, jaegerURL, service, map[string]string{"tiercache.ledger.cause": "unknown"}, rootRepair, treeRepair)
	return repair.span(rootRepair).References
}

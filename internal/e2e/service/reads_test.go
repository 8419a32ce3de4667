package service_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestReads looks at the traces of reads: one that L1 answers costs no span, and of
// any other Jaeger tells where the answer came from.
func TestReads(t *testing.T) {
	t.Parallel()
	jaeger, redis := startJaeger(t), startRedis(t)
	users := startService(t, settings{redis: redis, otlp: jaeger.OTLPHTTP})
	others := startService(t, settings{name: "others", redis: redis, otlp: jaeger.OTLPHTTP})

	users.warmUp(t)
	users.put(t, "grace", "Grace")
	others.put(t, secretID, secretName)
	users.get(t, "grace")  // L1 has it
	users.get(t, secretID) // Redis has it
	users.get(t, "42")     // the database has it
	users.request(t, http.MethodGet, "nobody", "", http.StatusNotFound)
	during(t, redis, func() { users.get(t, "43") })

	for _, read := range []struct{ name, id, want string }{
		{"a hit in L1", "grace", treeHitL1},
		{"a hit in L2", secretID, treeHitL2},
		{"a load", "42", treeLoad},
		{"a miss everywhere", "nobody", treeMiss},
		{"a load while Redis hangs", "43", treeLoadWithoutL2},
	} {
		t.Run(read.name, func(t *testing.T) {
			t.Parallel()
			found := awaitTree(t, jaeger.QueryURL, users.name, requestTags(http.MethodGet, read.id), rootGet, read.want)
			withoutSecrets(t, &found, secretID, secretName)
			if found.span("get users l2") != nil {
				describedOnce(t, &found, "get users l2")
			}
		})
	}

	t.Run("there are no other traces", func(t *testing.T) {
		t.Parallel()
		eventually(t, func() error { return onlyRoots(t.Context(), jaeger.QueryURL, users.name, rootGet, rootPut, rootRepair) })
	})
}

// onlyRoots returns an error when a service has a trace that begins with something else:
// a handshake with Redis, for instance, or a span that has lost its parent.
func onlyRoots(ctx context.Context, jaegerURL, service string, names ...string) error {
	found, err := findTraces(ctx, jaegerURL, service, nil)
	if err != nil {
		return err
	}
	for i := range found {
		begins := func(name string) bool { return strings.HasPrefix(tree(&found[i]), name+" (") }
		if !slices.ContainsFunc(names, begins) {
			return fmt.Errorf("a trace begins with none of %q:\n%s", names, tree(&found[i]))
		}
	}
	return nil
}

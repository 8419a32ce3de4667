package service_test

import (
	"fmt"
	"strings"
	"testing"
)

// diverged is what an operator searches for.
var diverged = map[string]string{"tiercache.consistent": "false"}

// requestTags is how the trace of a request is searched for.
func requestTags(method, id string) map[string]string {
	return map[string]string{"http.request.method": method, "url.path": "/users/" + id}
}

// awaitTree searches until Jaeger has a trace that begins with root and is as it
// should be: spans arrive as they end, the root last. It fails with what there is.
func awaitTree(t *testing.T, jaegerURL, service string, wanted map[string]string, root, want string) trace {
	t.Helper()
	var got trace
	eventually(t, func() error {
		found, err := findTraces(t.Context(), jaegerURL, service, wanted)
		if err != nil {
			return err
		}
		var others strings.Builder
		for i := range found {
			shown := tree(&found[i])
			if found[i].span(root) != nil && shown == want {
				got = found[i]
				return nil
			}
			others.WriteString(shown)
		}
		return fmt.Errorf("no trace with %v is\n%s\nthe search has found these %d:\n%s", wanted, want, len(found), others.String())
	})
	return got
}

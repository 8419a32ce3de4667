package service_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bound is that of the services here: old values may be served for so long.
const bound = time.Second

// TestCoherence is the walk of the service's README, with two processes: one writes, and
// the other reads, is cut off, says so, and is put back.
func TestCoherence(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	writer := startService(t, settings{redis: redis})
	reader := startService(t, settings{redis: redis, args: []string{"-faults", "-coherence", bound.String()}})
	eventually(t, func() error { return reader.isCoherent(t, "trusted", "") })

	writer.put(t, "42", "Ada")
	eventually(t, func() error { return reader.has(t, "42", "Ada") })
	eventually(t, func() error { return reader.hits(t, "42") })

	reader.fault(t, "cut")
	writer.put(t, "42", "Grace")
	eventually(t, func() error { return reader.isCoherent(t, "lost", "overdue") })
	// Its own database, which has no Ada, stands for the one that all have.
	require.NotContains(t, reader.request(t, http.MethodGet, "42", "", http.StatusOK).body, "Ada",
		"what was replaced is not served after the bound")
	metrics := reader.admin(t, http.MethodGet, "/metrics", http.StatusOK)
	assert.Contains(t, metrics, `tiercache_coherence_status{tiercache_cache_name="users",tiercache_coherence_state="lost"} 1`)
	assert.Contains(t, reader.Output(), `"tiercache.coherence.lost"`)

	reader.fault(t, "restore")
	eventually(t, func() error { return reader.isCoherent(t, "trusted", "") })
	assert.Equal(t, 1, strings.Count(reader.Output(), `"event":"tiercache.coherence.lost"`))
	eventually(t, func() error {
		if n := strings.Count(reader.Output(), `"event":"tiercache.coherence.restored"`); n != 1 {
			return fmt.Errorf("it was restored %d times", n)
		}
		return nil
	})
}

// admin makes a request to the port that users do not reach.
func (s *instance) admin(t *testing.T, method, path string, status int) (body string) {
	t.Helper()
	a, err := call(t.Context(), method, "http://"+s.metrics+path, "")
	require.NoError(t, err)
	require.Equal(t, status, a.status, "%s %s: %s", method, path, a.body)
	return a.body
}

func (s *instance) fault(t *testing.T, name string) {
	t.Helper()
	s.admin(t, http.MethodPost, "/faults/"+name, http.StatusNoContent)
}

// isCoherent returns an error unless the status is the one given.
func (s *instance) isCoherent(t *testing.T, state, cause string) error {
	t.Helper()
	var status struct{ Coherence, Cause string }
	require.NoError(t, json.Unmarshal([]byte(s.admin(t, http.MethodGet, "/status", http.StatusOK)), &status))
	if status.Coherence != state || status.Cause != cause {
		return fmt.Errorf("the status is %+v", status)
	}
	return nil
}

// has returns an error unless the service answers with that name.
func (s *instance) has(t *testing.T, id, name string) error {
	t.Helper()
	if body := s.request(t, http.MethodGet, id, "", http.StatusOK).body; !strings.Contains(body, fmt.Sprintf(`"name":%q`, name)) {
		return fmt.Errorf("the answer is %s", body)
	}
	return nil
}

// hits returns an error unless a read of the user is answered by L1.
func (s *instance) hits(t *testing.T, id string) error {
	t.Helper()
	before := s.l1Hits(t)
	s.get(t, id)
	if after := s.l1Hits(t); after == before {
		return fmt.Errorf("L1 has answered no read: %s", after)
	}
	return nil
}

func (s *instance) l1Hits(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(s.admin(t, http.MethodGet, "/metrics", http.StatusOK)) {
		if strings.HasPrefix(line, "tiercache_reads_total{") &&
			strings.Contains(line, `result="hit"`) && strings.Contains(line, `name="l1"`) {
			return line
		}
	}
	return ""
}

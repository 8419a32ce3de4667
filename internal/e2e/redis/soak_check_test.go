package redis_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// check compares the tiers with what was reported.
func (s *soak) check(r *record, l1 backends.Backend[string], keys []string) {
	t := s.t
	t.Helper()
	in1, err := stateOf(s.ctx, l1, keys)
	require.NoError(t, err)
	in2, err := stateOf(s.ctx, stringsIn(t, s.server.Admin), keys)
	require.NoError(t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(t, silent(in1, in2, r.reported),
		"keys in which the tiers differ silently; TIERCACHE_SEED=%d\nL1 %v\nL2 %v", s.seed, in1, in2)
	s.writes += r.writes
	s.events += r.events
	s.differ += len(silent(in1, in2, nil))
}

// others counts the clients of a server that are not its administration's.
func others(list string) (n int) {
	for line := range strings.Lines(list) {
		if !strings.Contains(line, " name="+server.AdminName+" ") {
			n++
		}
	}
	return n
}

// The check itself: what it calls a silent difference.
func TestSilent(t *testing.T) {
	t.Parallel()
	l1 := state{"equal": "a", "differs": "new", "differs, reported": "new", "only in L1": "a"}
	l2 := state{"equal": "a", "differs": "old", "differs, reported": "old", "only in L2": "a"}
	reported := map[string]bool{"differs, reported": true, "differs": false}
	assert.ElementsMatch(t, []string{"differs", "only in L1"}, silent(l1, l2, reported))
	assert.Empty(t, silent(l1, maps.Clone(l1), nil))
}

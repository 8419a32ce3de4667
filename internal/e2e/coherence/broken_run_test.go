package coherence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/e2e/network"
)

// The check itself: where a part of the protocol is missing, it finds violations.
func TestChaos_FindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for broken, happens := range map[breakage]func(r *run){
		noNumbers: func(*run) {},
		noFence:   func(*run) {},
		noHeartbeat: func(r *run) {
			r.networks[0].Hold(network.Down)
			r.wait(3 * bound)
			r.networks[0].Release(network.Down)
		},
		noToken: (*run).failOver,
	} {
		t.Run(string(broken), func(t *testing.T) {
			t.Parallel()
			const lasts = 40 * time.Second // at most, on a machine that is busy
			r := newRun(t, lasts)
			r.start(3)
			r.startHere(broken)
			for begun := time.Now(); time.Since(begun) < lasts && len(judge(r.board, r.lost).violations) == 0; {
				r.wait(bound)
				r.inTrouble(func() { happens(r) })
			}
			v := r.stop()
			assert.NotEmpty(t, v.violations)
			if len(r.lost) == 0 { // histories lack what may have been lost, and with it these violations
				assert.NotZero(t, explain(r.board, r.lost, lasts+patience, allKeys()).without)
			}
		})
	}
}

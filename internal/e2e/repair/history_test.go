package repair

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// play is two instances over one server, and a history of what they do.
type play struct {
	history   history
	server    *server.Redis
	instances []*instance
	rng       *rand.Rand
	users     *traffic
	meddled   atomic.Int64
}

func newPlay(t *testing.T, broken breakage) *play {
	t.Helper()
	seed := seedOf(t)
	p := &play{server: startServer(t), rng: rand.New(rand.NewPCG(seed, 99))}
	p.history.follow(t, p.server)
	for n, policy := range policies()[:2] {
		p.instances = append(p.instances, newInstance(t, p.server, func(l2 *secondTier) backends.Backend[string] {
			return &recorder{l2, &p.history, n, broken, func(key string) { p.meddle(t, 1-n, key) }}
		}, policy))
	}
	p.users = newTraffic(t, seed, restful, p.instances...)
	return p
}

// meddle lets an instance write a key that the other one is about to repair, every fourth
// time.
func (p *play) meddle(t *testing.T, n int, key string) {
	t.Helper()
	if turn := p.meddled.Add(1); turn%4 == 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), callLimit/2) // it may have been about to do the same
		defer cancel()
		_ = p.instances[n].Set(ctx, key, fmt.Sprintf("%d between %d", n, turn), 0)
	}
}

// aboutKey tells the writes and reads of users' keys from other commands.
func aboutKey(sent []byte) bool {
	return isScript(sent) && bytes.Contains(sent, []byte("\r\n"+prefix+"user:"))
}

// trouble lets one of twenty commands meet each fate, evicts keys, and lets late commands
// arrive, until the time is over, or enough says so.
func (p *play) trouble(t *testing.T, d time.Duration, enough func() bool) {
	t.Helper()
	var mu sync.Mutex
	for _, i := range p.instances {
		i.network.Meet(func(sent []byte) network.Fate {
			mu.Lock()
			defer mu.Unlock()
			if n := p.rng.IntN(20); n < int(network.ResetAfter) && aboutKey(sent) {
				return network.Fate(n + 1)
			}
			return network.Pass
		})
	}
	for end := time.Now().Add(d); time.Now().Before(end) && !enough(); {
		mu.Lock()
		rest, key, one := time.Duration(20+p.rng.IntN(200))*time.Millisecond, keyName(p.rng.IntN(keys)), p.instances[p.rng.IntN(len(p.instances))]
		cut := p.rng.IntN(8) == 0
		mu.Unlock()
		if cut {
			one.network.CutOff()
		}
		pause(t.Context(), rest)
		one.network.Mend()
		one.network.LetGo()
		require.NoError(t, p.server.Admin.Del(t.Context(), prefix+key).Err())
		p.history.evicted(key)
	}
}

// end lets all go well again, and returns the verdict when nothing is open.
func (p *play) end(t *testing.T) *verdict {
	t.Helper()
	for _, i := range p.instances {
		i.network.Meet(nil)
		i.network.LetGo()
	}
	stopped := p.users.stop()
	awaitQuiet(t, stopped, time.Now(), p.instances...)
	return p.verdict(t)
}

func (p *play) verdict(t *testing.T) *verdict {
	t.Helper()
	p.history.await(t, time.Now())
	p.history.mu.Lock()
	defer p.history.mu.Unlock()
	return judge(&p.history)
}

// Two instances write while commands and answers are lost, or late, and entries are
// evicted. No repair replaces newer data, nothing happens after a deadline, and L2 has in
// the end what its log says.
func TestHistory(t *testing.T) {
	t.Parallel()
	p := newPlay(t, intact)
	books := scrape(t, p.instances...)
	p.trouble(t, lasts(t, 8*time.Second), func() bool { return false })
	v := p.end(t)
	books.check(t)
	report(t, "%v; %d outcomes were unknown", v, p.users.unknown.Load())
	assert.Empty(t, v.violations())
	assert.Greater(t, v.applied, 10)
	assert.Greater(t, v.refused, 2)
	truth := p.instances[0].l2
	for key, q := range v.last {
		entry, answer, err := truth.GetIf(t.Context(), key, 0)
		require.NoError(t, err)
		if answer.Found == backends.Hit {
			assert.Equal(t, q.value, entry.Value, key)
			assert.False(t, q.removes, key)
		}
	}
	compareTiers(t, truth, p.history.mayLack, p.instances...)
}

// The judge itself: where a part of the repair is missing, it finds violations.
func TestHistory_FindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		broken breakage
		found  func(v *verdict) []string
	}{
		"no condition": {blind, func(v *verdict) []string { return v.overwrote }},
		"no deadlines": {deadlines, func(v *verdict) []string { return v.late }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, test.broken)
			looked := time.Now()
			p.trouble(t, patience, func() bool {
				if time.Since(looked) < time.Second {
					return false
				}
				looked = time.Now()
				return len(test.found(p.verdict(t))) > 0
			})
			found := test.found(p.end(t))
			require.NotEmpty(t, found)
			t.Log(found[0])
		})
	}
}

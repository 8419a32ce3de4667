package redis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// The size of a history. Clients share two keys, so that nearly every call meets another
// one; more calls of a key would take the checker too long when many are unknown.
const (
	casProcesses = 3
	casClients   = 2 // of each process
	casCalls     = 8 // of each client
	casKeys      = 2
	casRounds    = 60
	casStrikes   = 15 // of a round at most: a slow machine would meet more of them
)

// casFixture is several processes that make calls of one Redis.
type casFixture struct {
	processes []*casProcess
	rng       *rand.Rand
	seed      uint64
}

// newCASFixture starts a process at each address, with the rest of its setting.
func newCASFixture(t *testing.T, s casSetting, addrs ...string) *casFixture {
	t.Helper()
	f := &casFixture{seed: rand.Uint64()}    //nolint:gosec // it guards nothing
	f.rng = rand.New(rand.NewPCG(f.seed, 1)) //nolint:gosec // the same
	for s.Process, s.Addr = range addrs {
		f.processes = append(f.processes, startCASProcess(t, s))
	}
	return f
}

// round has all processes make random calls, and returns what they saw.
func (f *casFixture) round(t *testing.T, strike func(done <-chan struct{})) (history casHistory) {
	t.Helper()
	r := casRound{Seed: f.rng.Uint64()}
	for range casKeys {
		r.Keys = append(r.Keys, fmt.Sprintf("k%016x", f.rng.Uint64()))
	}
	for _, p := range f.processes {
		require.NoError(t, p.rounds.Encode(r))
	}
	done := make(chan struct{})
	parts := make([]casHistory, len(f.processes))
	go func() {
		defer close(done)
		for i, p := range f.processes {
			assert.NoError(t, p.histories.Decode(&parts[i]))
		}
	}()
	if strike != nil {
		strike(done)
	}
	<-done
	require.False(t, t.Failed())
	return slices.Concat(parts...)
}

// Histories of Update, SetIfAbsent, Set, Delete and reads of several processes over one
// Redis are linearizable.
func TestCAS_Linearizable(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	f := newCASFixture(t, casSetting{Clients: casClients}, s.Addr, s.Addr, s.Addr)
	met := 0
	for round := range casRounds {
		h := f.round(t, nil)
		assert.Zero(t, h.unknown())
		require.Len(t, h, casProcesses*casClients*casCalls)
		require.True(t, h.explained(), "seed %d, round %d:\n%v", f.seed, round, h)
		met += h.met()
	}
	calls := casRounds * casProcesses * casClients * casCalls
	t.Logf("%d of %d calls met one of another process", met, calls)
	assert.Greater(t, met, calls/4, "the processes have not met")
}

// The same while connections are reset, before a command arrives or before its answer
// does, and while the server ends connections: outcomes are exact or unknown.
func TestCAS_LinearizableWithFaults(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	var proxies []*casProxy
	var addrs []string
	for range casProcesses {
		p := newCASProxy(t, s)
		proxies, addrs = append(proxies, p), append(addrs, p.Listen)
	}
	f := newCASFixture(t, casSetting{Clients: casClients}, addrs...)
	unknown, certain := 0, 0
	for round := range casRounds {
		h := f.round(t, func(done <-chan struct{}) { strikeUntil(t, done, proxies, s, f.rng) })
		unknown += h.unknown()
		certain += len(h) - h.unknown()
		require.True(t, h.explained(), "seed %d, round %d:\n%v", f.seed, round, h)
	}
	t.Logf("%d outcomes unknown, %d certain", unknown, certain)
	assert.Greater(t, unknown, casRounds/10, "the faults have struck")
	assert.Greater(t, certain, casRounds*casProcesses*casClients, "most calls have succeeded")
}

// casProxy is a proxy whose connections can be reset again and again.
type casProxy struct {
	*proxy
	streams [2]toxin
	names   [2]string
}

func newCASProxy(t *testing.T, s *server.Redis) *casProxy {
	t.Helper()
	p := &casProxy{proxy: newProxy(t, s.Addr)}
	for i, stream := range []string{upstream, downstream} {
		p.streams[i] = toxin{Type: "reset_peer", Stream: stream, Attributes: map[string]any{"timeout": 0}}
		added, err := p.Toxics.AddToxicJson(p.streams[i].json())
		require.NoError(t, err)
		p.names[i] = added.Name
	}
	return p
}

// reset has connections reset that carry something in one direction, or stops that.
func (p *casProxy) reset(t *testing.T, direction int, toxicity float32) {
	t.Helper()
	x := p.streams[direction]
	x.Toxicity = toxicity
	_, err := p.Toxics.UpdateToxicJson(p.names[direction], x.json())
	assert.NoError(t, err)
}

// strikeUntil makes faults with pauses between them, until the round is over or has had
// enough of them.
func strikeUntil(t *testing.T, done <-chan struct{}, proxies []*casProxy, s *server.Redis, rng *rand.Rand) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for range casStrikes {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		p, fault := proxies[rng.IntN(len(proxies))], rng.IntN(3)
		switch {
		case fault == 2:
			assert.NoError(t, s.Admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
		case !raceDetector: // toxiproxy has a data race where a toxic changes under load
			p.reset(t, fault, 1)
			<-ticker.C
			p.reset(t, fault, 0)
		}
	}
}

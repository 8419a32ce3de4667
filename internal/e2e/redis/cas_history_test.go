package redis_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
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
)

// casRound has clients of several processes make random calls, and returns what they saw.
func casRound(t *testing.T, clients []*casClient, rng *rand.Rand, strike func(done <-chan struct{})) *casRecorder {
	t.Helper()
	r := &casRecorder{}
	keys := []string{"k" + rngKey(rng), "k" + rngKey(rng)}[:casKeys]
	var wg sync.WaitGroup
	for _, c := range clients {
		c.casRecorder = r
		seed := rng.Uint64()
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it guards nothing
			for range casCalls {
				call := []func(t *testing.T, key string){c.update, c.update, c.update, c.setIfAbsent, c.setIfAbsent, c.set, c.remove, c.get}
				call[rng.IntN(len(call))](t, keys[rng.IntN(len(keys))])
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	if strike != nil {
		strike(done)
	}
	<-done
	return r
}

func rngKey(rng *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	key := make([]byte, 10)
	for i := range key {
		key[i] = letters[rng.IntN(len(letters))]
	}
	return string(key)
}

func casClientsOf(t *testing.T, change func(o *redis.Options), addrs ...string) (clients []*casClient) {
	t.Helper()
	for _, addr := range addrs {
		cache := casProcess(t, addr, change)
		for range casClients {
			clients = append(clients, &casClient{cache: cache, id: len(clients)})
		}
	}
	return clients
}

// Histories of Update, SetIfAbsent, Set, Delete and reads of several processes over one
// Redis are linearizable.
func TestCAS_Linearizable(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	clients := casClientsOf(t, nil, s.Addr, s.Addr, s.Addr)
	require.Len(t, clients, casProcesses*casClients)
	rng, seed := newRNG()
	for round := range casRounds {
		r := casRound(t, clients, rng, nil)
		assert.Zero(t, r.unknown)
		require.Len(t, r.history, len(clients)*casCalls)
		require.True(t, explained(r.history), "seed %d, round %d:\n%s", seed, round, describeHistory(r.history))
	}
}

func newRNG() (rng *rand.Rand, seed uint64) {
	seed = rand.Uint64()                        //nolint:gosec // it guards nothing
	return rand.New(rand.NewPCG(seed, 1)), seed //nolint:gosec // the same
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
	clients := casClientsOf(t, nil, addrs...)
	rng, seed := newRNG()
	unknown, certain := 0, 0
	for round := range casRounds {
		r := casRound(t, clients, rng, func(done <-chan struct{}) { strikeUntil(t, done, proxies, s, rng) })
		unknown += r.unknown
		certain += len(r.history) - r.unknown
		require.True(t, explained(r.history), "seed %d, round %d:\n%s", seed, round, describeHistory(r.history))
	}
	t.Logf("%d outcomes unknown, %d certain", unknown, certain)
	assert.Greater(t, unknown, casRounds/10, "the faults have struck")
	assert.Greater(t, certain, casRounds*len(clients), "most calls have succeeded")
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

// strikeUntil makes faults with pauses between them until the round is over.
func strikeUntil(t *testing.T, done <-chan struct{}, proxies []*casProxy, s *server.Redis, rng *rand.Rand) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		p, fault := proxies[rng.IntN(len(proxies))], rng.IntN(3)
		if fault == 2 || raceDetector { // toxiproxy has a data race where a toxic changes under load
			assert.NoError(t, s.Admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
			continue
		}
		p.reset(t, fault, 1)
		<-ticker.C
		p.reset(t, fault, 0)
	}
}

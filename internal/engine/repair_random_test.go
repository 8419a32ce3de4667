package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/writepolicy"
)

// envSteps is the number of random steps; 100,000 if it is not set.
const envSteps = "TIERCACHE_REPAIR_STEPS"

// Two caches over one store take random steps, those of the model of a repair: with faults
// of writes and repairs, late requests, evictions, failovers and a clock that steps. No
// repair replaces newer data; opened - closed = open; a cache with an open key does not
// serve what is older; and when all is quiet, nothing is open and the tiers are equal.
func TestRepair_Random(t *testing.T) {
	t.Parallel()
	steps, seed := 100_000, uint64(0)
	if s := os.Getenv(envSteps); s != "" {
		var err error
		steps, err = strconv.Atoi(s)
		require.NoError(t, err)
		seed = rand.Uint64()
	}
	if s := os.Getenv("TIERCACHE_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("TIERCACHE_SEED=%d", seed)
	const parts = 20
	policies := []writepolicy.Policy{
		writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First), writepolicy.Parallel(),
		writepolicy.WriteAround(), writepolicy.Race(),
	}
	for part := range uint64(parts) {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGame(t, seed, part, policies[part%uint64(len(policies))])
				for range steps / parts {
					g.step()
					if t.Failed() {
						break
					}
				}
				g.quiet()
				for _, p := range g.players {
					require.NoError(t, p.Close(t.Context()))
				}
				for _, end := range []string{"applied", "superseded", "rolled_back", "dropped"} {
					assert.True(t, g.ends[end] > 0 || steps < 100_000, end)
				}
			})
		})
	}
}

// step takes one random step, and compares.
func (g *game) step() {
	p := g.players[g.random.IntN(2)]
	key := strconv.Itoa(g.random.IntN(gameKeys))
	switch n := g.random.IntN(100); {
	case n < 30:
		g.write(p, key)
	case n < 50:
		g.read(p, key)
	case n < 70:
		p.client.Sync()
	case n < 75:
		p.client.Deliver(1)
	case n < 82:
		g.release(g.random.IntN(4) == 0)
	case n < 90:
		time.Sleep(time.Duration(g.random.Int64N(int64(3 * time.Second))))
	case n < 93:
		g.store.Evict(key)
	case n < 94:
		g.store.EvictTombstones()
	case n < 97:
		g.mu.Lock()
		p.down = !p.down
		g.mu.Unlock()
	case n < 98 && g.random.IntN(2) == 0: // the clock of L2 steps, and its deadlines with it
		g.store.Advance(time.Duration(g.random.Int64N(int64(20*time.Second))) - 10*time.Second)
	case n < 98:
		g.store.Trim(0)
	default:
		g.failover()
	}
	synctest.Wait()
	for _, p := range g.players {
		s := p.Status().Repair
		require.Equal(g.t, uint64(s.Open), s.Opened-s.Closed) //nolint:gosec // not negative
	}
}

// write lets a player write, with or without a fault.
func (g *game) write(p *player, key string) {
	g.mu.Lock()
	g.seq++
	p.began[key] = g.seq
	began, seen := g.seq, p.client.Seen(key)
	value := fmt.Sprintf("%d by %d", began, p.number)
	g.current[value] = began
	p.mode, p.writes = g.random.IntN(2*modes), key
	kind := g.random.IntN(10)
	ttl := time.Duration(g.random.IntN(2)) * time.Duration(1+g.random.IntN(20)) * time.Second
	g.mu.Unlock()
	ctx := g.t.Context()
	var err error
	switch {
	case kind < 5:
		err = p.Set(ctx, key, value, ttl)
	case kind < 8:
		err = p.Delete(ctx, key)
	case kind < 9:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(g.random.Int64N(int64(10*time.Second))))
		defer cancel()
		_, err = p.Update(ctx, key, ttl, func(string, bool) (string, error) { return value, nil })
	default:
		_, _, err = p.SetIfAbsent(ctx, key, value, ttl)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p.mode, p.writes = modeFine, ""
	if err != nil && kind < 8 && p.isOpen(key) {
		p.failed[key] = failure{began, seen}
	}
}

func (p *player) isOpen(key string) bool {
	for _, k := range p.Status().Repair.Keys {
		if k.Key == key {
			return true
		}
	}
	return false
}

// read compares the value that a player finds with the newest write that it knows of.
func (g *game) read(p *player, key string) {
	open := p.isOpen(key)
	entry, ok, err := p.GetEntry(g.t.Context(), key)
	if err != nil || !ok || !open || entry.Stale {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	failed := p.failed[key]
	last := g.last(key)
	if failed.began != 0 && g.current[entry.Value] < failed.began && failed.seen.Covers(last.version) {
		g.t.Errorf("%s is open at %d since %d, and shows %q, of before", key, p.number, failed.began, entry.Value)
	}
}

// release lets requests arrive, or drops them.
func (g *game) release(drop bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.held) == 0 {
		return
	}
	i := g.random.IntN(len(g.held))
	r := g.held[i]
	g.held = append(g.held[:i:i], g.held[i+1:]...)
	if !drop {
		_, _ = g.arrive(context.Background(), r)
	}
}

// failover lets a server take over that lacks some changes. Everybody learns of it before
// a repair begins, and its conditions do not reach the other server.
func (g *game) failover() {
	g.mu.Lock()
	lost := min(g.random.IntN(4), len(g.made))
	g.store.LoseTail(lost)
	g.store.Failover()
	g.made = g.made[:len(g.made)-lost]
	var held []*request
	for _, r := range g.held {
		if r.user {
			held = append(held, r)
		}
	}
	g.held = held
	for _, p := range g.players {
		clear(p.failed) // its write may have been lost too
	}
	g.mu.Unlock()
	for _, p := range g.players {
		p.client.Heartbeat()
	}
}

// quiet ends all faults, and waits until nothing is open.
func (g *game) quiet() {
	g.mu.Lock()
	g.noise = false
	for _, p := range g.players {
		p.down, p.mode = false, modeFine
	}
	g.mu.Unlock()
	for range 100 {
		g.release(false)
		time.Sleep(250 * time.Millisecond)
		for _, p := range g.players {
			if !p.client.Sync() { // it was told of a loss
				require.True(g.t, p.client.Sync())
			}
		}
		synctest.Wait()
	}
	for _, p := range g.players {
		require.True(g.t, p.client.Sync())
		synctest.Wait()
		assert.Zero(g.t, p.Status().Repair.Open, "%+v", p.Status().Repair.Keys)
		for key := range gameKeys {
			key := strconv.Itoa(key)
			want := g.last(key) // L2 may have evicted it
			entry, ok, err := p.GetEntry(g.t.Context(), key, tiercache.SkipL2())
			require.NoError(g.t, err)
			if ok {
				assert.Equal(g.t, want.value, entry.Value, "L1 of %d, key %s", p.number, key)
			}
		}
	}
}

package linearizability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	clients = 5
	calls   = 5 // of each client in a round
)

// conditions are those of a round.
type conditions struct {
	evict   bool // entries are dropped from L1 at random moments
	expire  bool // entries in L1 expire soon
	l2Fails bool // writes of L2 fail now and then, in every second round reads too
	l1Fails bool // the same for L1
}

// setup is the subject of a check.
type setup struct {
	policy func() writepolicy.Policy
	reads  readpolicy.Policy // nil: the default
	conditions
	prompt bool // see claim
}

func (s setup) options() []tiercache.Option {
	opts := []tiercache.Option{
		tiercache.WithWritePolicy(s.policy()), tiercache.WithReadPolicy(s.reads),
		tiercache.WithNegativeTTL(2 * time.Millisecond),
	}
	if s.expire {
		opts = append(opts, tiercache.WithL1TTL(3*time.Millisecond, 0.5))
	}
	return opts
}

// strike makes the calls of the tiers slow, and some of them fail.
func (s setup) strike(w *tiers, d *random, readsFail bool) {
	for _, side := range []struct {
		faults *backendtest.Faults[string]
		fails  bool
		write  []backendtest.Fault
	}{{w.L1, s.l1Fails, localFaults()}, {w.L2, s.l2Fails, remoteFaults()}} {
		var read, write []backendtest.Fault
		if side.fails {
			write = side.write
		}
		if side.fails && readsFail {
			read = readFaults()
		}
		side.faults.Always(tier.Get, d.slow(read...))
		side.faults.Always(tier.Set, d.slow(write...))
		side.faults.Always(tier.Delete, d.slow(write...))
	}
}

// outcome is the knowledge after a round.
type outcome struct {
	history []porcupine.Operation
	silent  []string // keys whose tiers differ although nobody was told
}

// round lets clients loose on one or two keys. It is called in a bubble.
func (s setup) round(t *testing.T, seed, number uint64) outcome {
	t.Helper()
	d := newRandom(seed, number)
	w := newTiers()
	r := newRecorder(w.newCache(t, s.options()...))
	r.readsFail = (s.l1Fails || s.l2Fails) && number%2 == 1
	r.prompt = s.prompt
	keys := []string{"a", "b"}[:1+d.intN(2)]
	for _, key := range keys {
		if d.one(2) { // as after a restart: only L2 has it
			require.NoError(t, w.Map2.Set(t.Context(), key, backends.Entry[string]{Value: "old"}))
			r.begin(key, "old")
		}
	}
	s.strike(w, d, r.readsFail)
	stop := s.evictor(t, w, d, keys)
	var wg sync.WaitGroup
	for client := range clients {
		own := d.fork()
		wg.Go(func() {
			for range calls {
				time.Sleep(own.wait())
				call(t.Context(), r, client, own, keys[own.intN(len(keys))])
			}
		})
	}
	wg.Wait()
	stop()
	require.NoError(t, r.cache.Close(t.Context()))
	return outcome{r.done(), w.silent()}
}

// call makes one random call. One in eight is cancelled after a while.
func call(ctx context.Context, r *recorder, client int, d *random, key string) {
	if d.one(8) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.pause(6*time.Millisecond))
		defer cancel()
	}
	switch d.intN(8) {
	case 0, 1:
		_ = r.set(ctx, client, key, r.value("set "))
	case 2:
		_ = r.delete(ctx, client, key)
	case 3, 4:
		value := r.value(loadPrefix)
		if d.one(3) {
			value = nothing
		}
		pause := d.wait()
		_, _ = r.loading(ctx, client, key, value, func() { time.Sleep(pause) })
	default:
		_, _ = r.get(ctx, client, key)
	}
}

// evictor drops entries of L1 until it is stopped.
func (s setup) evictor(t *testing.T, w *tiers, d *random, keys []string) (stop func()) {
	t.Helper()
	if !s.evict {
		return func() {}
	}
	own := d.fork()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			time.Sleep(own.pause(4 * time.Millisecond))
			_ = w.Map1.Delete(ctx, keys[own.intN(len(keys))])
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// rounds runs n of them, and hands each to check until that returns false. The
// checker has goroutines of its own, and stays out of the bubble.
func (s setup) rounds(t *testing.T, seed uint64, n int, check func(number uint64, o outcome) bool) {
	t.Helper()
	const batch = 50
	for first := 0; first < n; first += batch {
		var outcomes []outcome
		synctest.Test(t, func(t *testing.T) {
			for i := range min(batch, n-first) {
				outcomes = append(outcomes, s.round(t, seed, uint64(first+i)))
			}
		})
		for i, o := range outcomes {
			if !check(uint64(first+i), o) {
				return
			}
		}
	}
}

// newSeed is TIERCACHE_SEED, or new at every run.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("TIERCACHE_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err, "TIERCACHE_SEED must be a number")
	}
	t.Log(fmt.Sprint("TIERCACHE_SEED=", seed))
	return seed
}

package linearizability

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// writeTimeout ends writes of L2 that hang. It is longer than all delays.
const writeTimeout = 50 * time.Millisecond

// tiers are the two tiers of a cache, the second one remote, and what the cache
// reported.
type tiers struct {
	map1, map2 *backendtest.Map[string]
	l1, l2     *backendtest.Faults[string]

	mu       sync.Mutex
	reported map[string]bool
}

func newTiers() *tiers {
	w := &tiers{
		map1: backendtest.NewMap[string](), map2: backendtest.NewMap[string](),
		reported: make(map[string]bool),
	}
	w.l1 = backendtest.WithFaults(w.map1)
	w.l2 = backendtest.WithFaults(w.map2).Described(backends.Description{System: "fake"})
	return w
}

// newCache returns one over the tiers.
func (w *tiers) newCache(t *testing.T, opts ...tiercache.Option) *tiercache.Cache[string] {
	t.Helper()
	c, err := tiercache.New("checked", w.l1, w.l2, append([]tiercache.Option{
		tiercache.WithTelemetry(tracing.Disabled()),
		tiercache.WithWriteTimeout(writeTimeout),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reported[i.Key] = true
		}),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// silent returns the keys that L1 has and L2 has differently, and that nobody
// was told of.
func (w *tiers) silent() (keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l2 := w.map2.Snapshot()
	for key, e := range w.map1.Snapshot() {
		if !e.Expired(time.Now()) && l2[key].Value != e.Value && !w.reported[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

// dice are random numbers for many goroutines.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed, round uint64) *dice {
	return &dice{rng: rand.New(rand.NewPCG(seed, round))}
}

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// fork returns dice for one goroutine, which nobody else disturbs.
func (d *dice) fork() *dice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return newDice(d.rng.Uint64(), d.rng.Uint64())
}

// one returns whether a thing happens that happens once in n times.
func (d *dice) one(n int) bool { return d.roll(n) == 0 }

// pause is a random time. It is so fine that hardly two goroutines wake up at
// once, so that a seed brings back its interleaving.
func (d *dice) pause(limit time.Duration) time.Duration { return time.Duration(d.roll(int(limit))) }

// errFault is what calls that were made to fail fail with.
var errFault = errors.New("fault")

// slow makes a call take a random time, before the store is touched and after,
// and makes one in four strike a fault, if there are any.
func (d *dice) slow(faults ...backendtest.Fault) backendtest.Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		call := backendtest.Chain(backendtest.Delay(d.wait()), d.late())
		if len(faults) > 0 && d.one(4) {
			call = backendtest.Chain(call, faults[d.roll(len(faults))])
		}
		return call(ctx, apply)
	}
}

// wait is short for most calls, so that some are passed by many others.
func (d *dice) wait() time.Duration {
	if d.one(3) {
		return d.pause(4 * time.Millisecond)
	}
	return d.pause(time.Millisecond)
}

// late makes the call and answers some time later.
func (d *dice) late() backendtest.Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		err := apply(ctx)
		time.Sleep(d.wait())
		return err
	}
}

// remoteFaults are what may become of a write of L2.
func remoteFaults() []backendtest.Fault {
	return append(localFaults(), backendtest.Hang(), backendtest.ApplyThenHang())
}

// localFaults are what may become of a write in the process, where nothing ends
// what hangs.
func localFaults() []backendtest.Fault {
	return []backendtest.Fault{
		backendtest.FailBefore(errFault), backendtest.Lose(errFault), backendtest.ApplyThenFail(errFault),
		backendtest.Panic(errFault), backendtest.ApplyThenPanic(errFault),
	}
}

// readFaults are what may become of a read.
func readFaults() []backendtest.Fault {
	return []backendtest.Fault{backendtest.Lose(errFault), backendtest.Panic(errFault)}
}

package engine_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// acknowledged are the writes of one key: the n-th has the value n.
type acknowledged struct {
	mu sync.Mutex
	at []time.Time // when its writer was told that L2 has it
}

// before returns the number of the last write that was acknowledged before an instant.
func (a *acknowledged) before(t time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, _ := slices.BinarySearchFunc(a.at, t, time.Time.Compare)
	return n
}

// Two caches over one store, whose readers of the log are late, cut off, and lose their
// place: no hit in L1 that is not flagged shows a value that was replaced longer ago than
// the bound. The time is that of the bubble, so even a hit that is a nanosecond too old is
// found.
func TestCoherenceConcurrentSafe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testCoherenceConcurrentSafe)
}

func testCoherenceConcurrentSafe(t *testing.T) {
	const (
		keys     = 8
		lasts    = 30 * time.Second
		readers  = 4
		minBound = 500 * time.Millisecond
	)
	s := backendtest.NewStore[string]()
	instances := []*instance{
		newInstance(t, s, tiercache.WithCoherence(minBound, tiercache.AskL2)),
		newInstance(t, s, tiercache.WithCoherence(minBound, tiercache.ServeStale)),
	}
	var (
		wg         sync.WaitGroup
		writes     [keys]acknowledged
		over       atomic.Bool
		hits, late atomic.Int64
	)
	for k := range keys { // one writer a key, in one instance: the other one only hears of it
		wg.Go(func() {
			for n := 1; !over.Load(); n++ {
				assert.NoError(t, instances[k%2].Set(t.Context(), strconv.Itoa(k), strconv.Itoa(n), 0))
				writes[k].mu.Lock()
				writes[k].at = append(writes[k].at, time.Now())
				writes[k].mu.Unlock()
				time.Sleep(rand.N(20 * time.Millisecond))
			}
		})
	}
	for _, i := range instances {
		for range readers {
			wg.Go(func() {
				for ; !over.Load(); time.Sleep(rand.N(2 * time.Millisecond)) {
					k, began := rand.IntN(keys), time.Now()
					entry, ok, err := i.GetEntry(t.Context(), strconv.Itoa(k))
					if !assert.NoError(t, err) || !ok || entry.Stale || entry.Tier != tier.L1 {
						continue
					}
					n, err := strconv.Atoi(entry.Value)
					assert.NoError(t, err)
					hits.Add(1)
					if n < writes[k].before(began.Add(-minBound)) {
						late.Add(1)
					}
				}
			})
		}
		wg.Go(func() { // its reader of the log
			for !over.Load() {
				switch rand.IntN(40) {
				case 0:
					i.client.Disconnect()
					time.Sleep(rand.N(2 * minBound))
					i.client.Reconnect()
				case 1:
					s.Trim(0)
				case 2:
					i.client.Lose(backends.LossDisconnected)
				default:
					i.client.Deliver(1 + rand.IntN(5))
					i.client.Heartbeat()
				}
				time.Sleep(rand.N(5 * time.Millisecond))
			}
		})
	}
	time.Sleep(lasts)
	over.Store(true)
	wg.Wait()
	for _, i := range instances {
		i.close(t)
	}
	require.Greater(t, hits.Load(), int64(1000))
	assert.Zero(t, late.Load(), "of %d hits", hits.Load())
}

package repair

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
)

const (
	usersEach = 4 // of an instance
	keys      = 96
	hot       = 8 // keys that are used more often than others
)

func keyName(k int) string { return "user:" + strconv.Itoa(k) }

// traffic is the users of some instances, who read and write until stop.
type traffic struct {
	instances []*instance
	made      atomic.Int64 // operations
	unknown   atomic.Int64 // outcomes of L2
	failed    atomic.Int64
	stop      func() (last time.Time) // when the last user has ended
}

func newTraffic(t *testing.T, seed uint64, rest time.Duration, instances ...*instance) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	x := &traffic{instances: instances}
	var users sync.WaitGroup
	for n, i := range instances {
		for u := range usersEach {
			own := rand.New(rand.NewPCG(seed, uint64(n*usersEach+u)))
			users.Go(func() {
				for number := 0; pause(ctx, rest/2+rand.N(rest)); number++ {
					x.use(context.WithoutCancel(ctx), i, own, fmt.Sprintf("%d/%d/%d", n, u, number))
				}
			})
		}
	}
	x.stop = sync.OnceValue(func() time.Time {
		cancel()
		users.Wait()
		return time.Now()
	})
	t.Cleanup(func() { x.stop() })
	return x
}

// await waits until so many operations were made.
func (x *traffic) await(t *testing.T, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return x.made.Load() >= n }, patience, time.Millisecond)
}

// use makes one operation. A value is written once.
func (x *traffic) use(ctx context.Context, i *instance, own *rand.Rand, value string) {
	n := keys
	if own.IntN(2) == 0 {
		n = hot
	}
	key := keyName(own.IntN(n))
	var err error
	switch n := own.IntN(100); {
	case n < 40:
		err = i.Set(ctx, key, value, time.Hour)
	case n < 50:
		err = i.Set(ctx, key, value, 300*time.Millisecond)
	case n < 62:
		err = i.Delete(ctx, key)
	case n < 66:
		ctx, cancel := context.WithTimeout(ctx, callLimit)
		defer cancel()
		_, err = i.Update(ctx, key, time.Hour, func(string, bool) (string, error) { return value, nil })
	case n < 70:
		ctx, cancel := context.WithTimeout(ctx, callLimit)
		defer cancel()
		_, _, err = i.SetIfAbsent(ctx, key, value, time.Hour)
	case n < 75:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(own.Int64N(int64(2*callLimit))))
		defer cancel()
		_ = i.Repair(ctx, key)
	default:
		_, _, _ = i.Get(ctx, key)
	}
	x.made.Add(1)
	var w *tier.WriteError
	switch {
	case err == nil:
	case errors.As(err, &w) && w.L2.Outcome == tier.Unknown:
		x.unknown.Add(1)
	default:
		x.failed.Add(1)
	}
}

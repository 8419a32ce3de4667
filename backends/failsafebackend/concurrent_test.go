package failsafebackend_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

// Whatever happens at the same time, the outcome of a write must be true.
func TestConcurrentSafe(t *testing.T) {
	t.Parallel()
	t.Run("WithRetry", func(t *testing.T) {
		t.Parallel()
		concurrent(t, failsafebackend.WithRetry(1, time.Millisecond, time.Second))
	})
	t.Run("WithRetryPolicy", func(t *testing.T) {
		t.Parallel()
		concurrent(t, repeatsAll(1, time.Millisecond))
	})
}

func concurrent(t *testing.T, retry failsafebackend.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		for range 200 {
			script(faults, tier.Set, "agfal")
			faults.Next(tier.Set, backendtest.Hang(), backendtest.Delay(time.Second), backendtest.ApplyThenPanic("boom"))
		}
		b := decorate(t, faults,
			retry,
			failsafebackend.WithCircuitBreaker(8, time.Second),
			failsafebackend.WithBulkhead(4, time.Second),
			failsafebackend.WithTimeout(5*time.Second))
		var users sync.WaitGroup
		for u := range 8 {
			users.Go(func() {
				key, last := strconv.Itoa(u), ""
				for i := range 100 {
					ctx, cancel := context.WithCancel(t.Context())
					if i%7 == 0 {
						time.AfterFunc(time.Second/2, cancel)
					}
					v := strconv.Itoa(i)
					err := b.Set(ctx, key, entry(v))
					cancel()
					got := faultless(faults, key)
					switch {
					case err == nil:
						assert.Equal(t, v, got)
					case backends.CertainlyNotApplied(err):
						assert.Equal(t, last, got)
					}
					last = got
				}
			})
		}
		users.Wait()
	})
}

// faultless reads the store without faults.
func faultless(faults *backendtest.Faults[string], key string) string {
	got, _, _ := faults.Get(context.Background(), key) //nolint:usetesting // it outlives no test
	return got.Value
}

package tiercache_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/writepolicy"
)

// readAll returns the answers of n readers that come at once.
func readAll(t *testing.T, f *fixture, n int) []string {
	t.Helper()
	answers := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if i%2 == 0 {
				value, ok, err := f.Get(t.Context(), "k")
				answers[i] = fmt.Sprintf("%q %t %v", value, ok, err)
			} else {
				e, ok, err := f.GetEntry(t.Context(), "k")
				answers[i] = fmt.Sprintf("%q %t %v", e.Value, ok, err)
			}
		})
	}
	wg.Wait()
	return answers
}

// Readers of one key that miss L1 at once share one read of L2, whatever its answer.
func TestGet_SharesL2(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		held  string
		fault backendtest.Fault
		want  string
		inL1  string
	}{
		"hit":   {held: "v", fault: backendtest.Delay(time.Second), want: `"v" true <nil>`, inL1: "v"},
		"miss":  {fault: backendtest.Delay(time.Second), want: `"" false <nil>`},
		"error": {fault: backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)), want: `"" false tiercache: get: l2 get failed: refused`},
		"panic": {fault: backendtest.Chain(backendtest.Delay(time.Second), backendtest.Panic("v")), want: `"" false tiercache: get: l2 get failed: panic (string)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachReadSetting(t, func(t *testing.T, f *fixture) {
				store(t, f, "", test.held)
				f.L2.Always(tier.Get, test.fault)
				for _, answer := range readAll(t, f, 100) {
					assert.Equal(t, test.want, answer)
				}
				assert.Equal(t, 1, f.L2.Calls(tier.Get))
				assertHolds(t, f, test.inL1, test.held)
			})
		})
	}
}

// Those who follow a cancelled reader do not fail: one of them asks for the others.
func TestGet_LeaderIsCancelled(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]backendtest.Fault{
		"it returns": backendtest.Hang(),
		"it returns late": func(context.Context, func(context.Context) error) error {
			time.Sleep(2 * time.Second)
			return errRefused
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachReadSetting(t, func(t *testing.T, f *fixture) {
				store(t, f, "", "v")
				f.L2.Next(tier.Get, fault, backendtest.Delay(time.Second))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				go func() {
					_, _, err := f.Get(ctx, "k")
					assert.Error(t, err)
				}()
				synctest.Wait()
				for _, answer := range readAll(t, f, 10) {
					assert.Equal(t, `"v" true <nil>`, answer)
				}
				assert.Equal(t, 2, f.L2.Calls(tier.Get))
			})
		})
	}
}

// The context of a reader that follows ends its wait, and nobody else's.
func TestGet_FollowerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := held(t)
		f.L2.Always(tier.Get, backendtest.Delay(2*time.Second))
		var wg sync.WaitGroup
		wg.Go(func() {
			value, _, err := f.Get(t.Context(), "k")
			assert.NoError(t, err)
			assert.Equal(t, "old", value)
		})
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := f.Get(ctx, "k")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "tiercache: get: l2 get failed: context deadline exceeded")
		assert.Equal(t, time.Second, time.Since(begin))
		wg.Wait()
		assert.Equal(t, 1, f.L2.Calls(tier.Get))
		require.NoError(t, f.Close(t.Context()))
	})
}

// A reader that comes after a write does not get the answer of one that began before.
func TestGet_SharesNothingAcrossAWrite(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		write func(ctx context.Context, f *fixture) error
		want  string
	}{
		"set":    {func(ctx context.Context, f *fixture) error { return f.Set(ctx, "k", "new", 0) }, `"new" true <nil>`},
		"delete": {func(ctx context.Context, f *fixture) error { return f.Delete(ctx, "k") }, `"" false <nil>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := held(t, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
				gate := backendtest.NewGate()
				f.L2.Next(tier.Get, gate.After())
				var early sync.WaitGroup
				early.Go(func() { readAll(t, f, 3) })
				<-gate.Arrived()
				synctest.Wait()
				require.NoError(t, test.write(t.Context(), f))
				require.NoError(t, f.Map1.Delete(t.Context(), "k")) // L1 evicts it
				f.L2.Next(tier.Get, backendtest.Delay(time.Second))
				for _, answer := range readAll(t, f, 10) {
					assert.Equal(t, test.want, answer)
				}
				assert.Equal(t, 2, f.L2.Calls(tier.Get), "those who came later share among themselves")
				gate.Open()
				early.Wait()
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A backend that reads the cache does not wait for itself, be it by a detour over
// another key.
func TestGet_InItsBackend(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string][2]string{"the same key": {"k", "k"}, "two keys": {"k", "other"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				calls := map[string]string{keys[0]: keys[1], keys[1]: keys[0]}
				var mu sync.Mutex
				depth := 0
				tiers := &calling{Faults: f.L2, call: func(ctx context.Context, key string) error {
					time.Sleep(time.Second) // both readers of a ring are here at once
					mu.Lock()
					depth++
					deep := depth > 4
					mu.Unlock()
					if deep {
						return nil
					}
					_, _, err := f.Get(ctx, calls[key])
					return err
				}}
				cache, err := tiercache.New[string]("users", f.L1, tiers)
				require.NoError(t, err)
				f.Cache = cache
				begin := time.Now()
				var wg sync.WaitGroup
				for _, key := range keys {
					wg.Go(func() {
						_, _, err := cache.Get(t.Context(), key)
						assert.NoError(t, err)
					})
				}
				wg.Wait()
				assert.LessOrEqual(t, time.Since(begin), 10*time.Second)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// calling is a tier whose Get calls something.
type calling struct {
	*backendtest.Faults[string]
	call func(ctx context.Context, key string) error
}

func (c *calling) Get(ctx context.Context, key string) (entry backends.Entry[string], ok bool, err error) {
	if err := c.call(ctx, key); err != nil {
		return entry, false, err
	}
	return c.Faults.Get(ctx, key)
}

// A read of a tier in the process is not shared: it never waits. Nor is one that skips
// L1, which asks what L2 has now.
func TestGet_SharesNot(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		inProcess bool
		opts      []tiercache.ReadOption
	}{"in the process": {inProcess: true}, "L1 is skipped": {opts: []tiercache.ReadOption{tiercache.SkipL1()}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tiers := tiercachetest.NewTiers[string]()
				tiers.L2.Described(backends.Description{InProcess: test.inProcess})
				f := tiercachetest.Over(t, tiers)
				f.L2.Always(tier.Get, backendtest.Delay(time.Second))
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() {
						_, _, err := f.Get(t.Context(), "k", test.opts...)
						assert.NoError(t, err)
					})
				}
				wg.Wait()
				assert.Equal(t, 3, f.L2.Calls(tier.Get))
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A backend that ends the goroutine of the reader it answers ends no other reader.
func TestGet_LeaderExits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := held(t)
		f.L2.Next(tier.Get, backendtest.Chain(backendtest.Delay(time.Second), exit), backendtest.Delay(time.Second))
		go func() { _, _, _ = f.Get(t.Context(), "k") }()
		synctest.Wait()
		for _, answer := range readAll(t, f, 10) {
			assert.Equal(t, `"old" true <nil>`, answer)
		}
		assert.Equal(t, 2, f.L2.Calls(tier.Get))
		require.NoError(t, f.Close(t.Context()))
	})
}

func exit(context.Context, func(context.Context) error) error {
	runtime.Goexit()
	return nil
}

// Readers, of whom some are cancelled, and writers of one key.
func TestGetSharedConcurrentSafe(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				switch {
				case (i+j)%5 == 0:
					_ = f.Map1.Delete(ctx, "k")
				case i == 0:
					_ = f.Set(ctx, "k", "v", time.Hour)
				case (i+j)%7 == 0:
					go cancel()
				}
				if value, ok, err := f.Get(ctx, "k"); err == nil && ok {
					assert.Equal(t, "v", value)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.NoError(t, f.Close(t.Context()))
}

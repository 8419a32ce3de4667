package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// A caller that finds nothing in L1 does not wait for a refresh, which does not
// ask L2.
func TestRefreshIsNotSharedWithAMiss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
		time.Sleep(50 * time.Second)
		failing := func(context.Context, string) (string, error) {
			time.Sleep(time.Second)
			return "", errRefused
		}
		value, err := f.GetOrLoad(t.Context(), "k", time.Minute, failing) // begins a refresh
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Map1.Delete(t.Context(), "k"))
		value, err = f.GetOrLoad(t.Context(), "k", time.Minute, failing)
		require.NoError(t, err)
		assert.Equal(t, "v", value, "L2 has it")
		require.NoError(t, f.Close(t.Context()))
	})
}

// A refresh is due when less than the given part of the TTL in L1 is left. Entries
// that do not expire are never refreshed.
func TestRefreshAhead_WhenItIsDue(t *testing.T) {
	t.Parallel()
	const never = 0
	for name, test := range map[string]struct {
		l1TTL, ttl time.Duration
		part       float64
		due        time.Duration // after the write, not yet in this instant
	}{
		"half":                      {0, time.Minute, 0.5, 30 * time.Second},
		"a quarter":                 {0, time.Minute, 0.25, 45 * time.Second},
		"L1's TTL is shorter":       {time.Minute, 10 * time.Minute, 0.5, 30 * time.Second},
		"L1's TTL is longer":        {10 * time.Minute, time.Minute, 0.5, 30 * time.Second},
		"L1's TTL is the only one":  {time.Minute, 0, 0.5, 30 * time.Second},
		"the entry does not expire": {0, 0, 0.5, never},
		"it is off":                 {0, time.Minute, 0, never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithRefreshAhead(test.part), tiercache.WithL1TTL(test.l1TTL, 0))
				require.NoError(t, f.Set(t.Context(), "k", "v", test.ttl))
				loads := 0
				get := func() {
					t.Helper()
					value, err := f.GetOrLoad(t.Context(), "k", test.ttl, func(context.Context, string) (string, error) {
						loads++
						return "new", nil
					})
					require.NoError(t, err)
					assert.Equal(t, "v", value)
					synctest.Wait()
				}
				get()
				if test.due == never {
					time.Sleep(time.Minute - 1)
					get()
					assert.Zero(t, loads)
				} else {
					time.Sleep(test.due)
					get()
					assert.Zero(t, loads, "the part that is left is not smaller yet")
					time.Sleep(time.Nanosecond)
					get()
					assert.Equal(t, 1, loads)
				}
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A value that was just loaded is not loaded again, even if it took the tiers long to
// store it.
func TestRefreshAhead_NotAfterALoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		f.L2.Next(tier.Set, backendtest.Delay(700*time.Millisecond))
		loads := 0
		_, err := f.GetOrLoad(t.Context(), "k", time.Second, func(context.Context, string) (string, error) {
			loads++
			return "v", nil
		})
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 1, loads)
		require.NoError(t, f.Close(t.Context()))
	})
}

// Only a refresh that failed is put off: the next one after a success comes as soon as
// it is due.
func TestRefreshAhead_Repeated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"after a success": {nil, 2},
		"after an error":  {errRefused, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithRefreshAhead(0.9))
				require.NoError(t, f.Set(t.Context(), "k", "v", time.Second))
				loads := 0
				for range 2 {
					time.Sleep(200 * time.Millisecond)
					_, err := f.GetOrLoad(t.Context(), "k", time.Second, func(context.Context, string) (string, error) {
						loads++
						return "v", test.err
					})
					require.NoError(t, err)
					synctest.Wait()
				}
				assert.Equal(t, test.want, loads)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

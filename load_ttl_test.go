package tiercache_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// loadsFor returns a loader that sets TTLs, one after the other.
func loadsFor(t *testing.T, ttls ...time.Duration) tiercache.Loader[string] {
	t.Helper()
	return func(ctx context.Context, _ string) (string, error) {
		for _, ttl := range ttls {
			if err := tiercache.SetTTL(ctx, ttl); ttl >= 0 {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, tiercache.ErrInvalid)
			}
		}
		return "v", nil
	}
}

// ttls are those of the copies in the tiers; 0: it never expires.
func ttls(t *testing.T, f *fixture) (l1, l2 time.Duration) {
	t.Helper()
	left := func(m *backendtest.Map[string]) time.Duration {
		e, ok, err := m.Get(t.Context(), "k")
		require.NoError(t, err)
		require.True(t, ok)
		if e.ExpiresAt.IsZero() {
			return 0
		}
		return time.Until(e.ExpiresAt)
	}
	return left(f.Map1), left(f.Map2)
}

func TestSetTTL(t *testing.T) {
	t.Parallel()
	hour, minute := time.Hour, time.Minute
	for name, test := range map[string]struct {
		sets     []time.Duration
		given    time.Duration
		opts     []tiercache.Option
		read     []tiercache.ReadOption
		inL1, l2 time.Duration
	}{
		"shorter":             {sets: []time.Duration{minute}, given: hour, inL1: minute, l2: minute},
		"longer":              {sets: []time.Duration{hour}, given: minute, inL1: hour, l2: hour},
		"instead of forever":  {sets: []time.Duration{hour}, inL1: hour, l2: hour},
		"nothing":             {given: hour, inL1: hour, l2: hour},
		"zero":                {sets: []time.Duration{0}, given: hour, inL1: hour, l2: hour},
		"the last one counts": {sets: []time.Duration{minute, -1, hour}, given: minute, inL1: hour, l2: hour},
		"back to the default": {sets: []time.Duration{minute, 0}, given: hour, inL1: hour, l2: hour},
		"L1 has a limit":      {sets: []time.Duration{hour}, opts: []tiercache.Option{tiercache.WithL1TTL(minute, 0)}, inL1: minute, l2: hour},
		"stale if error":      {sets: []time.Duration{hour}, opts: []tiercache.Option{tiercache.WithStaleIfError(hour)}, inL1: 2 * hour, l2: hour},
		"async writes":        {sets: []time.Duration{hour}, opts: []tiercache.Option{tiercache.WithAsyncLoadWrites()}, inL1: hour, l2: hour},
		"a refresh":           {sets: []time.Duration{hour}, read: []tiercache.ReadOption{tiercache.Refresh()}, inL1: hour, l2: hour},
		"L1 is skipped":       {sets: []time.Duration{hour}, read: []tiercache.ReadOption{tiercache.SkipL1()}, inL1: hour, l2: hour},
		"L2 is skipped":       {sets: []time.Duration{hour}, read: []tiercache.ReadOption{tiercache.SkipL2()}, inL1: hour, l2: hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.opts...)
				value, err := f.GetOrLoad(t.Context(), "k", test.given, loadsFor(t, test.sets...), test.read...)
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				synctest.Wait()
				inL1, inL2 := ttls(t, f)
				assert.Equal(t, [2]time.Duration{test.inL1, test.l2}, [2]time.Duration{inL1, inL2})
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A value with a negative TTL has expired: it is not stored for the default TTL.
func TestSetTTL_Negative(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, err := f.GetOrLoad(t.Context(), "k", time.Hour, loadsFor(t, time.Minute, -time.Second))
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	var loadErr *tiercache.LoadError
	require.ErrorAs(t, err, &loadErr)
	require.EqualError(t, err, "tiercache: load: tiercache: invalid argument: the loader set a negative TTL (-1s): use 0 for that of GetOrLoad")
	assertHolds(t, f, "", "")
}

// The context must be that of a loader that has not returned.
func TestSetTTL_OtherContexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var kept context.Context
	_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
		kept = ctx //nolint:fatcontext // it is no loop
		type key struct{}
		derived, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Minute)
		defer cancel()
		return "v", tiercache.SetTTL(derived, time.Minute)
	})
	require.NoError(t, err)
	inL1, _ := ttls(t, f)
	assert.LessOrEqual(t, inL1, time.Minute)
	for name, ctx := range map[string]context.Context{"kept": kept, "other": t.Context(), "nil": nil} {
		err := tiercache.SetTTL(ctx, time.Minute)
		require.ErrorIs(t, err, tiercache.ErrInvalid, name)
		require.ErrorContains(t, err, "SetTTL needs the context that a loader was given", name)
	}
}

// A loader that fails has set nothing, also where its error means that there is no value.
func TestSetTTL_LoaderFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tiercache.WithNotFound(func(err error) bool { return err == errRefused })) //nolint:errorlint // it is this one
	_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
		_ = tiercache.SetTTL(ctx, -1)
		return "", errRefused
	})
	require.ErrorIs(t, err, tiercache.ErrNotFound)
	require.NotErrorIs(t, err, tiercache.ErrInvalid)
}

// The TTL is that of the innermost load.
func TestSetTTL_Nested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outer, inner := newFixture(t), newFixture(t)
		_, err := outer.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, key string) (string, error) {
			value, err := inner.GetOrLoad(ctx, key, time.Hour, loadsFor(t, time.Minute))
			assert.NoError(t, err)
			return value, tiercache.SetTTL(ctx, time.Second)
		})
		require.NoError(t, err)
		ofOuter, _ := ttls(t, outer)
		ofInner, _ := ttls(t, inner)
		assert.Equal(t, [2]time.Duration{time.Second, time.Minute}, [2]time.Duration{ofOuter, ofInner})
		require.NoError(t, outer.Close(t.Context()))
		require.NoError(t, inner.Close(t.Context()))
	})
}

// Loads that share the call of a loader, during a write of the key, share its TTL.
func TestSetTTL_SharedLoader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		gate := backendtest.NewGate()
		f.L2.Next(tier.Delete, gate.After())
		go func() { assert.NoError(t, f.Delete(t.Context(), "k")) }()
		<-gate.Arrived()
		runs := 0
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
					runs++
					time.Sleep(time.Second)
					return "v", tiercache.SetTTL(ctx, -1)
				})
				assert.ErrorIs(t, err, tiercache.ErrInvalid)
			})
		}
		wg.Wait()
		assert.Equal(t, 1, runs)
		gate.Open()
		require.NoError(t, f.Close(t.Context()))
	})
}

// A refresh is due in a fraction of the TTL that the loader has set. It is not due at
// every hit, although less than that fraction of GetOrLoad's TTL is left.
func TestSetTTL_RefreshAhead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given, set time.Duration
		due        time.Duration
	}{
		"shorter":      {time.Hour, time.Minute, 30 * time.Second},
		"longer":       {time.Minute, time.Hour, 30 * time.Minute},
		"not at first": {0, time.Minute, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithRefreshAhead(0.5))
				runs := 0
				get := func() {
					_, err := f.GetOrLoad(t.Context(), "k", test.given, func(ctx context.Context, _ string) (string, error) {
						runs++
						return "v", tiercache.SetTTL(ctx, test.set)
					})
					require.NoError(t, err)
					synctest.Wait()
				}
				for round := range 3 {
					get()
					assert.Equal(t, round+1, runs)
					time.Sleep(test.due)
					get()
					assert.Equal(t, round+1, runs, "not yet")
					time.Sleep(time.Nanosecond)
				}
				get()
				assert.Equal(t, 4, runs)
				// A Set forgets the TTL of the loader.
				require.NoError(t, f.Set(t.Context(), "k", "w", 10*time.Hour))
				get()
				assert.Equal(t, 4, runs)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// The TTLs that loaders set are remembered of a bounded number of keys. Of others, a
// refresh may come too early, but not at every hit.
func TestSetTTL_RefreshAheadOfManyKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		runs := 0
		get := func(key string) {
			_, err := f.GetOrLoad(t.Context(), key, time.Hour, func(ctx context.Context, _ string) (string, error) {
				runs++
				return "v", tiercache.SetTTL(ctx, time.Minute)
			})
			require.NoError(t, err)
		}
		const keys = 10_001
		for i := range keys {
			get(fmt.Sprint(i))
		}
		synctest.Wait()
		for i := range keys {
			get(fmt.Sprint(i))
		}
		synctest.Wait()
		assert.Equal(t, keys, runs)
		time.Sleep(2 * time.Second)
		for range 10 {
			get(fmt.Sprint(keys - 1))
			synctest.Wait()
		}
		assert.Equal(t, keys+1, runs, "of the last key")
		time.Sleep(2 * time.Minute) // the others have expired, so there is room
		for range 10 {
			get(fmt.Sprint(keys - 1))
			synctest.Wait()
			time.Sleep(2 * time.Second)
		}
		assert.Equal(t, keys+2, runs)
		require.NoError(t, f.Close(t.Context()))
	})
}

// A loader may set the TTL from goroutines of its own.
func TestSetTTLConcurrentSafe(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var late sync.WaitGroup
	_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
		for i := range 8 {
			late.Go(func() { _ = tiercache.SetTTL(ctx, time.Duration(i)*time.Minute) })
		}
		return "v", nil
	})
	require.NoError(t, err)
	late.Wait()
}

// The value is valid for as long as its source says.
func ExampleSetTTL() {
	ctx := context.Background()
	cache, err := tiercache.New("tokens", backendtest.NewMap[string](), backendtest.NewMap[string](),
		tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	load := func(ctx context.Context, _ string) (string, error) {
		token, validFor := "token", 5*time.Minute // from the source
		return token, tiercache.SetTTL(ctx, validFor)
	}
	_, err = cache.GetOrLoad(ctx, "42", time.Hour, load)
	entry, _, _ := cache.GetEntry(ctx, "42")
	fmt.Println(entry.Value, time.Until(entry.ExpiresAt) <= 5*time.Minute, err)
	// Output:
	// token true <nil>
}

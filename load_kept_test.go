package tiercache_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// keeping are the policies under which L1 does not get a value that L2 did not take.
func keeping() map[string]writepolicy.Policy {
	return map[string]writepolicy.Policy{
		"l2 first":          writepolicy.Sequential(writepolicy.L2First),
		"write around":      writepolicy.WriteAround(),
		"invalidate l1":     writepolicy.Sequential(writepolicy.InvalidateL1()),
		"custom, l2 first":  foreign(writepolicy.Sequential(writepolicy.L2First)),
		"custom, says nil":  writepolicy.WithName("custom", writepolicy.PolicyFunc(onlyL2)),
		"custom, panicking": writepolicy.WithName("custom", writepolicy.PolicyFunc(onlyL2ThenPanic)),
	}
}

func onlyL2(ctx context.Context, _ writepolicy.Op, _, l2 writepolicy.Tier) error {
	_ = l2.Write(ctx)
	return nil
}

func onlyL2ThenPanic(ctx context.Context, _ writepolicy.Op, _, l2 writepolicy.Tier) error {
	_ = l2.Write(ctx)
	panic(secretValue)
}

// counting returns a loader, and how often it ran.
func counting() (tiercache.Loader[string], *int) {
	n := new(int)
	return func(context.Context, string) (string, error) {
		*n++
		return fmt.Sprint("v", *n), nil
	}, n
}

// While L2 is down, a key is loaded once for each time that L1 keeps it. Every such write
// is reported, and every read of the value is flagged.
func TestKeepLoaded(t *testing.T) {
	t.Parallel()
	for name, p := range keeping() {
		for faultName, fault := range map[string]backendtest.Fault{
			"refuses": backendtest.FailBefore(errRefused), "loses": backendtest.ApplyThenFail(lostError{}),
			"hangs": backendtest.Hang(), "panics": backendtest.Panic("v"),
		} {
			for setting, opts := range readSettings() {
				if name != "l2 first" && setting != "none" {
					continue
				}
				if faultName == "hangs" && (setting == "async writes" || setting == "stale if slow") {
					continue // its callers do not wait for the write: see TestKeepLoaded_AfterTheCaller
				}
				t.Run(name+"/"+faultName+"/"+setting, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						c := newRecorder()
						opts := append(append(c.options(), opts...), tiercache.WithWritePolicy(p), tiercache.WithKeepLoaded(10*time.Second))
						f := newFixture(t, opts...)
						f.L2.Always(tier.Set, fault)
						f.L2.Always(tier.Get, backendtest.Lose(errRefused))
						load, runs := counting()
						for round := range 3 {
							for range 5 {
								value, err := f.GetOrLoad(t.Context(), "k", time.Hour, load)
								require.NoError(t, err)
								assert.Equal(t, fmt.Sprint("v", round+1), value)
								synctest.Wait()
								e, ok, err := f.GetEntry(t.Context(), "k")
								require.NoError(t, err)
								assert.True(t, ok)
								assert.True(t, e.Kept)
								assert.False(t, e.Stale)
								assert.LessOrEqual(t, time.Until(e.ExpiresAt), 10*time.Second)
								time.Sleep(time.Second)
							}
							assert.Equal(t, round+1, *runs)
							reported := c.Inconsistencies()
							require.Len(t, reported, round+1)
							assert.Equal(t, tier.Applied, reported[round].L1.Outcome)
							assert.NotEqual(t, tier.Applied, reported[round].L2.Outcome)
							assert.Equal(t, tier.Verdict{Stale: tier.L2}, reported[round].Verdict)
							time.Sleep(20 * time.Second)
						}
						require.NoError(t, f.Close(t.Context()))
						assert.Contains(t, fmt.Sprint(c.metrics(t)), "tiercache.read.result=kept tiercache.tier.name=l1")
					})
				})
			}
		}
	}
}

// A value is kept when its write has ended, also if its caller has gone before.
func TestKeepLoaded_AfterTheCaller(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts   []tiercache.Option
		within time.Duration
	}{
		"async writes":    {[]tiercache.Option{tiercache.WithAsyncLoadWrites()}, time.Hour},
		"a deadline":      {nil, time.Second},
		"stale, and slow": {[]tiercache.Option{tiercache.WithStaleIfError(time.Hour), tiercache.WithStaleIfSlow(time.Second)}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, append(test.opts, tiercache.WithKeepLoaded(10*time.Second),
					tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))...)
				require.NoError(t, f.Set(t.Context(), "k", "old", time.Second))
				time.Sleep(2 * time.Second)
				f.L2.Always(tier.Set, backendtest.Hang())
				load, runs := counting()
				ctx, cancel := context.WithTimeout(t.Context(), test.within)
				defer cancel()
				_, err := f.GetOrLoad(ctx, "k", time.Hour, load)
				require.NoError(t, err)
				time.Sleep(6 * time.Second)
				e, _, err := f.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.Equal(t, [2]any{"v1", true}, [2]any{e.Value, e.Kept})
				assert.Equal(t, 1, *runs)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// Nothing is kept without the option, where L2 has the value, where L1 has it as a part
// of the policy, where a write has begun since, and where the value can never be stored.
func TestKeepLoaded_Not(t *testing.T) {
	t.Parallel()
	l2First := writepolicy.Sequential(writepolicy.L2First)
	for name, test := range map[string]struct {
		policy writepolicy.Policy
		ttl    time.Duration
		fault  backendtest.Fault
		stage  backendtest.Fault
		during func(ctx context.Context, f *fixture) error
		l1, l2 string
	}{
		"off":             {policy: l2First, fault: backendtest.FailBefore(errRefused)},
		"stored":          {policy: l2First, ttl: time.Minute, l1: "v", l2: "v"},
		"stored around":   {policy: writepolicy.WriteAround(), ttl: time.Minute, l2: "v"},
		"in L1 by policy": {policy: foreign(writepolicy.Sequential()), ttl: time.Minute, fault: backendtest.FailBefore(errRefused), l1: "v"},
		"in L1 at once":   {policy: foreign(writepolicy.Parallel()), ttl: time.Minute, fault: backendtest.FailBefore(errRefused), l1: "v"},
		"in L1, and a race": {
			policy: foreign(writepolicy.Race()), ttl: time.Minute, l1: "v",
			fault: backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)),
		},
		"it is not encoded":  {policy: l2First, ttl: time.Minute, stage: backendtest.Lose(errRefused)},
		"a Set was faster":   {policy: l2First, ttl: time.Minute, during: func(ctx context.Context, f *fixture) error { return f.Set(ctx, "k", "new", 0) }, l1: "new", l2: "new"},
		"a Delete was":       {policy: l2First, ttl: time.Minute, during: func(ctx context.Context, f *fixture) error { return f.Delete(ctx, "k") }},
		"nothing was loaded": {policy: l2First, ttl: time.Minute, during: func(context.Context, *fixture) error { return tiercache.ErrNotFound }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithWritePolicy(test.policy), tiercache.WithKeepLoaded(test.ttl))
				f.L2.Next(tier.Stage, test.stage)
				_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
					if test.during != nil {
						return "v", test.during(ctx, f)
					}
					f.L2.Next(tier.Set, test.fault)
					return "v", nil
				})
				if name != "nothing was loaded" {
					require.NoError(t, err)
				}
				time.Sleep(2 * time.Second)
				assertHolds(t, f, test.l1, test.l2)
				e, _, err := f.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.False(t, e.Kept)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// New refuses the option where L1 has every loaded value without it.
func TestKeepLoaded_Refused(t *testing.T) {
	t.Parallel()
	create := func(opts ...tiercache.Option) error {
		c, err := tiercache.New("users", backendtest.NewMap[string](), backendtest.NewStore[string]().Client(), opts...)
		if err != nil {
			return err
		}
		return c.Close(t.Context())
	}
	source := tiercache.WithSourceVersion(func(string) uint64 { return 0 })
	require.NoError(t, create(tiercache.WithKeepLoaded(time.Second), source))
	require.ErrorContains(t, create(tiercache.WithKeepLoaded(time.Second)), "the write policy sequential itself stores a loaded value in L1")
	for name, p := range map[string]writepolicy.Policy{
		"sequential": writepolicy.Sequential(), "parallel": writepolicy.Parallel(),
		"optimistic": writepolicy.OptimisticParallel(), "race": writepolicy.Race(),
		"named": writepolicy.WithName("mine", writepolicy.WithName("other", writepolicy.Parallel())),
	} {
		opts := []tiercache.Option{tiercache.WithWritePolicy(p), tiercache.WithKeepLoaded(time.Second)}
		err := create(opts...)
		require.ErrorIs(t, err, tiercache.ErrInvalid, name)
		require.ErrorContains(t, err, "WithKeepLoaded(1s) would do nothing", name)
		require.NoError(t, create(append(opts, tiercache.WithConditionalLoads())...), name)
		require.NoError(t, create(append(opts, tiercache.WithKeepLoaded(0))...), name)
	}
	for name, p := range keeping() {
		for _, p := range []writepolicy.Policy{p, writepolicy.WithName("mine", p)} {
			require.NoError(t, create(tiercache.WithWritePolicy(p), tiercache.WithKeepLoaded(time.Second)), name)
		}
	}
}

// The flag is as true as the tiers: it goes when L1 gets another state, and stays until
// then.
func TestKeepLoaded_Flag(t *testing.T) {
	t.Parallel()
	refused := func(f *fixture) { f.L2.Next(tier.Set, backendtest.FailBefore(errRefused)) }
	for name, test := range map[string]struct {
		then  func(ctx context.Context, t *testing.T, f *fixture)
		value string
		kept  bool
	}{
		"nothing": {func(context.Context, *testing.T, *fixture) {}, "v1", true},
		"a Set": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.Set(ctx, "k", "new", 0))
		}, "new", false},
		"a Delete": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.Delete(ctx, "k"))
		}, "", false},
		"another load": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			_, err := f.GetOrLoad(ctx, "k", time.Hour, loads("w", nil), tiercache.Refresh())
			require.NoError(t, err)
		}, "w", false},
		"another that is kept": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			refused(f)
			_, err := f.GetOrLoad(ctx, "k", time.Hour, loads("w", nil), tiercache.Refresh())
			require.NoError(t, err)
		}, "w", true},
		"a refill": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.Map2.Set(ctx, "k", backends.Entry[string]{Value: "two"}))
			_, _, err := f.Get(ctx, "k", tiercache.SkipL1())
			require.NoError(t, err)
		}, "two", false},
		"a refused Set": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			refused(f)
			require.Error(t, f.Set(ctx, "k", "new", 0))
		}, "v1", true},
		"a lost Set, for which L1 drops its copy": {func(ctx context.Context, t *testing.T, f *fixture) {
			t.Helper()
			f.L2.Next(tier.Set, backendtest.ApplyThenFail(lostError{}))
			require.Error(t, f.Set(ctx, "k", "new", 0))
		}, "new", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithKeepLoaded(time.Minute), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
				refused(f)
				load, _ := counting()
				_, err := f.GetOrLoad(t.Context(), "k", time.Hour, load)
				require.NoError(t, err)
				test.then(t.Context(), t, f)
				for range 2 {
					e, ok, err := f.GetEntry(t.Context(), "k")
					require.NoError(t, err)
					assert.Equal(t, test.value != "", ok)
					assert.Equal(t, [2]any{test.value, test.kept}, [2]any{e.Value, e.Kept})
				}
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A refresh ahead is due in a fraction of the time for which L1 keeps the value.
func TestKeepLoaded_RefreshAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithKeepLoaded(10*time.Second), tiercache.WithRefreshAhead(0.2),
			tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		load, runs := counting()
		for range 160 {
			_, err := f.GetOrLoad(t.Context(), "k", time.Hour, load)
			require.NoError(t, err)
			time.Sleep(time.Second / 2)
		}
		assert.Equal(t, 10, *runs, "in 80 s")
		require.NoError(t, f.Close(t.Context()))
	})
}

// After its time, the value is a stale one for those who want that.
func TestKeepLoaded_ThenStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithKeepLoaded(10*time.Second), tiercache.WithStaleIfError(time.Hour),
			tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		_, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("", errRefused))
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		f.L2.Always(tier.Get, backendtest.Lose(errRefused))
		e, _, err := f.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, [2]bool{true, false}, [2]bool{e.Stale, e.Kept})
		require.NoError(t, f.Close(t.Context()))
	})
}

// So many keys are kept, and no more: one without a flag would not be told from others.
func TestKeepLoaded_IsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithKeepLoaded(time.Minute), tiercache.WithWritePolicy(writepolicy.WriteAround()))
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		held := func(n int) (kept int) {
			for i := range n {
				_, err := f.GetOrLoad(t.Context(), fmt.Sprint(i), time.Hour, loads("v", nil))
				require.NoError(t, err)
			}
			synctest.Wait()
			return len(f.Map1.Snapshot())
		}
		assert.Equal(t, 10_000, held(10_100))
		time.Sleep(2 * time.Minute)
		_, err := f.GetOrLoad(t.Context(), "another", time.Hour, loads("v", nil))
		require.NoError(t, err)
		e, ok, err := f.GetEntry(t.Context(), "another")
		require.NoError(t, err)
		assert.True(t, ok && e.Kept, "the time of others has passed")
		require.NoError(t, f.Close(t.Context()))
	})
}

// A reader that asks both tiers gets the value that expires later, and L1's is kept for a
// short time.
func TestKeepLoaded_Parallel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tiercache.WithKeepLoaded(time.Minute), tiercache.WithReadPolicy(readpolicy.Parallel()),
		tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
	f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
	_, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil))
	require.NoError(t, err)
	require.NoError(t, f.Map2.Set(t.Context(), "k", backends.Entry[string]{Value: "two", ExpiresAt: time.Now().Add(time.Hour)}))
	e, _, err := f.GetEntry(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, [2]any{"two", false}, [2]any{e.Value, e.Kept})
}

// L2 is down, and the value is loaded once.
func ExampleWithKeepLoaded() {
	ctx := context.Background()
	tiers := tiercachetest.NewTiers[string]()
	cache, err := tiercache.New("users", tiers.L1, tiers.L2,
		tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)),
		tiercache.WithKeepLoaded(10*time.Second),
		tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	tiers.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
	for range 3 {
		value, err := cache.GetOrLoad(ctx, "42", time.Hour, func(context.Context, string) (string, error) {
			fmt.Println("loading")
			return "Ada", nil
		})
		fmt.Println(value, err)
	}
	entry, _, _ := cache.GetEntry(ctx, "42")
	fmt.Println(entry.Kept)
	// Output:
	// loading
	// Ada <nil>
	// Ada <nil>
	// Ada <nil>
	// true
}

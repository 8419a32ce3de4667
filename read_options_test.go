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
	"github.com/tiercache/tiercache/tracing"
)

// readSettings are the options of a cache that change how a read asks the tiers.
func readSettings() map[string][]tiercache.Option {
	return map[string][]tiercache.Option{
		"none":           nil,
		"race":           {tiercache.WithReadPolicy(readpolicy.Race())},
		"race, cancel":   {tiercache.WithReadPolicy(readpolicy.Race(readpolicy.CancelLoser()))},
		"parallel":       {tiercache.WithReadPolicy(readpolicy.Parallel())},
		"spans of hits":  {tiercache.WithL1HitSpans()},
		"stale if error": {tiercache.WithStaleIfError(time.Hour)},
		"stale if slow":  {tiercache.WithStaleIfError(time.Hour), tiercache.WithStaleIfSlow(time.Second)},
		"refresh ahead":  {tiercache.WithRefreshAhead(0.1)},
		"negative":       {tiercache.WithNegativeTTL(time.Hour)},
		"l1 ttl":         {tiercache.WithL1TTL(time.Minute, 0.1)},
		"async writes":   {tiercache.WithAsyncLoadWrites()},
		"max loads":      {tiercache.WithMaxLoads(1)},
	}
}

// forEachReadSetting runs a test with each of the options, in a bubble.
func forEachReadSetting(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	for name, opts := range readSettings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, opts...)
				test(t, f)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// store stores a value in each tier; "" is none.
func store(t *testing.T, f *fixture, l1, l2 string) {
	t.Helper()
	for m, v := range map[*backendtest.Map[string]]string{f.Map1: l1, f.Map2: l2} {
		require.NoError(t, m.Delete(t.Context(), "k"))
		if v != "" {
			require.NoError(t, m.Set(t.Context(), "k", backends.Entry[string]{Value: v, ExpiresAt: time.Now().Add(10 * time.Hour)}))
		}
	}
}

// noLoad is a loader that must not be called.
func noLoad(t *testing.T) tiercache.Loader[string] {
	t.Helper()
	return func(context.Context, string) (string, error) {
		assert.Fail(t, "the loader was called")
		return "", errRefused
	}
}

// askedTiers is how often L1 and L2 were asked since the last call.
func askedTiers(f *fixture) func() [2]int {
	var before [2]int
	return func() [2]int {
		now := [2]int{f.L1.Calls(tier.Get), f.L2.Calls(tier.Get)}
		since := [2]int{now[0] - before[0], now[1] - before[1]}
		before = now
		return since
	}
}

func TestSkipL1(t *testing.T) {
	t.Parallel()
	forEachReadSetting(t, func(t *testing.T, f *fixture) {
		asked := askedTiers(f)
		for _, read := range []func() (string, error){
			func() (string, error) {
				v, ok, err := f.Get(t.Context(), "k", tiercache.SkipL1())
				assert.True(t, ok)
				return v, err
			},
			func() (string, error) {
				e, ok, err := f.GetEntry(t.Context(), "k", tiercache.SkipL1())
				assert.True(t, ok)
				assert.Equal(t, tier.L2, e.Tier)
				return e.Value, err
			},
			func() (string, error) {
				return f.GetOrLoad(t.Context(), "k", time.Hour, noLoad(t), tiercache.SkipL1())
			},
		} {
			store(t, f, "one", "two")
			value, err := read()
			require.NoError(t, err)
			assert.Equal(t, "two", value)
			assert.Equal(t, [2]int{0, 1}, asked())
			assertHolds(t, f, "two", "two") // refilled
		}
		store(t, f, "one", "")
		_, ok, err := f.Get(t.Context(), "k", tiercache.SkipL1())
		require.NoError(t, err)
		assert.False(t, ok)
		assertHolds(t, f, "one", "")

		value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("loaded", nil), tiercache.SkipL1())
		require.NoError(t, err)
		assert.Equal(t, "loaded", value)
		synctest.Wait()
		assertHolds(t, f, "loaded", "loaded")
		assert.Equal(t, [2]int{0, 2}, asked())
	})
}

func TestSkipL2(t *testing.T) {
	t.Parallel()
	forEachReadSetting(t, func(t *testing.T, f *fixture) {
		store(t, f, "one", "two")
		value, ok, err := f.Get(t.Context(), "k", tiercache.SkipL2())
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "one", value)
		e, ok, err := f.GetEntry(t.Context(), "k", tiercache.SkipL2())
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, tier.L1, e.Tier)
		value, err = f.GetOrLoad(t.Context(), "k", time.Hour, noLoad(t), tiercache.SkipL2())
		require.NoError(t, err)
		assert.Equal(t, "one", value)

		store(t, f, "", "two")
		_, ok, err = f.Get(t.Context(), "k", tiercache.SkipL2())
		require.NoError(t, err)
		assert.False(t, ok)
		value, err = f.GetOrLoad(t.Context(), "k", time.Hour, loads("loaded", nil), tiercache.SkipL2())
		require.NoError(t, err)
		assert.Equal(t, "loaded", value)
		synctest.Wait()
		assertHolds(t, f, "loaded", "loaded")
		assert.Zero(t, f.L2.Calls(tier.Get))
	})
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	forEachReadSetting(t, func(t *testing.T, f *fixture) {
		store(t, f, "old", "old")
		value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("new", nil), tiercache.Refresh())
		require.NoError(t, err)
		assert.Equal(t, "new", value)
		synctest.Wait()
		assertHolds(t, f, "new", "new")

		_, err = f.GetOrLoad(t.Context(), "k", time.Hour, loads("", errRefused), tiercache.Refresh())
		require.ErrorIs(t, err, errRefused, "a value of before is not what the caller wants")
		assertHolds(t, f, "new", "new")
		assert.Equal(t, [2]int{}, askedTiers(f)())

		_, err = f.GetOrLoad(t.Context(), "k", time.Hour, loads("", tiercache.ErrNotFound), tiercache.Refresh())
		require.ErrorIs(t, err, tiercache.ErrNotFound)
		synctest.Wait()
		assertHolds(t, f, "", "")
	})
}

// Those who refresh a key share a load, and nobody else shares it with them.
func TestRefresh_IsShared(t *testing.T) {
	t.Parallel()
	forEachReadSetting(t, func(t *testing.T, f *fixture) {
		store(t, f, "", "old")
		runs, end, answers := 0, make(chan struct{}), make(chan string)
		call := func(loader tiercache.Loader[string], opts ...tiercache.ReadOption) {
			go func() {
				value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loader, opts...)
				assert.NoError(t, err)
				answers <- value
			}()
		}
		for range 3 {
			call(func(context.Context, string) (string, error) {
				runs++
				<-end
				return "new", nil
			}, tiercache.Refresh())
		}
		synctest.Wait()
		assert.Equal(t, 1, runs)
		value, ok, err := f.Get(t.Context(), "k") // of L2, while the refresh is under way
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "old", value)
		close(end)
		assert.Equal(t, []string{"new", "new", "new"}, []string{<-answers, <-answers, <-answers})
		synctest.Wait()
	})
}

// Loads that differ in their options do not share.
func TestReadOptions_DoNotShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		runs, end := 0, make(chan struct{})
		for _, opts := range [][]tiercache.ReadOption{nil, {tiercache.SkipL1()}, {tiercache.SkipL2()}, {tiercache.Refresh()}} {
			go func() {
				_, err := f.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) {
					runs++
					<-end
					return "v", nil
				}, opts...)
				assert.NoError(t, err)
			}()
			synctest.Wait()
		}
		assert.Equal(t, 4, runs)
		close(end)
		require.NoError(t, f.Close(t.Context()))
	})
}

// Of what a process remembers apart from L1, a read that skips L1 uses nothing. A
// refresh asks the loader, and remembers its answer.
func TestReadOptions_Negatives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithNegativeTTL(time.Hour))
		absent := loads("", tiercache.ErrNotFound)
		_, err := f.GetOrLoad(t.Context(), "k", time.Hour, absent)
		require.ErrorIs(t, err, tiercache.ErrNotFound)
		_, err = f.GetOrLoad(t.Context(), "k", time.Hour, noLoad(t), tiercache.SkipL2())
		require.ErrorIs(t, err, tiercache.ErrNotFound, "it is remembered")
		for _, opt := range []tiercache.ReadOption{tiercache.SkipL1(), tiercache.Refresh()} {
			value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil), opt)
			require.NoError(t, err)
			assert.Equal(t, "v", value)
			_, err = f.GetOrLoad(t.Context(), "k", time.Hour, absent, tiercache.Refresh())
			require.ErrorIs(t, err, tiercache.ErrNotFound)
			_, err = f.GetOrLoad(t.Context(), "k", time.Hour, noLoad(t))
			require.ErrorIs(t, err, tiercache.ErrNotFound, "it is remembered again")
		}
		// L2 was not asked, so nobody knows whether it has a value.
		require.NoError(t, f.Delete(t.Context(), "k"))
		_, err = f.GetOrLoad(t.Context(), "k", time.Hour, absent, tiercache.SkipL2())
		require.ErrorIs(t, err, tiercache.ErrNotFound)
		value, err := f.GetOrLoad(t.Context(), "k", time.Hour, loads("v", nil))
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, f.Close(t.Context()))
	})
}

// A stale value is for those who ask L1, and for GetEntry, which says that it is one.
func TestReadOptions_Stale(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]tiercache.Option{
		"sequential": nil, "parallel": {tiercache.WithReadPolicy(readpolicy.Parallel())}, "spans": {tiercache.WithL1HitSpans()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, append(opts, tiercache.WithStaleIfError(time.Hour))...)
				require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
				expiry := time.Now().Add(time.Minute)
				time.Sleep(2 * time.Minute)
				_, ok, err := f.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.False(t, ok, "L2 says that there is none")

				f.L2.Always(tier.Get, backendtest.Lose(errRefused))
				_, _, err = f.Get(t.Context(), "k")
				require.ErrorIs(t, err, errRefused, "Get cannot say that a value is stale")
				e, ok, err := f.GetEntry(t.Context(), "k")
				require.NoError(t, err)
				assert.True(t, ok)
				assert.True(t, e.ExpiresAt.Equal(expiry))
				e.ExpiresAt = time.Time{}
				assert.Equal(t, tiercache.Entry[string]{Value: "v", Tier: tier.L1, Stale: true}, e)

				fails := loads("", errRefused)
				_, ok, err = f.GetEntry(t.Context(), "k", tiercache.SkipL1())
				require.ErrorIs(t, err, errRefused)
				assert.False(t, ok)
				_, err = f.GetOrLoad(t.Context(), "k", time.Hour, fails, tiercache.SkipL1())
				require.ErrorIs(t, err, errRefused)
				value, err := f.GetOrLoad(t.Context(), "k", time.Hour, fails, tiercache.SkipL2())
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A read that skips L1 gets the state of L2 although a write of the key overtakes it,
// and does not put it over the value of that write.
func TestSkipL1_Overtaken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	store(t, f, "", "old")
	f.L2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
		err := apply(ctx)
		assert.NoError(t, f.Set(t.Context(), "k", "new", time.Hour))
		return err
	})
	value, ok, err := f.Get(t.Context(), "k", tiercache.SkipL1())
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, "old", value)
	assertHolds(t, f, "new", "new")
}

func TestSkipL1_NoRefill(t *testing.T) {
	t.Parallel()
	f := newFixture(t, tiercache.WithRefill(tiercache.RefillNever))
	store(t, f, "one", "two")
	value, _, err := f.Get(t.Context(), "k", tiercache.SkipL1())
	require.NoError(t, err)
	assert.Equal(t, "two", value)
	assertHolds(t, f, "one", "two")
}

func TestGetEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithL1TTL(time.Minute, 0))
		_, ok, err := f.GetEntry(t.Context(), "k")
		require.NoError(t, err)
		assert.False(t, ok)
		begin := time.Now()
		require.NoError(t, f.Set(t.Context(), "k", "v", time.Hour))
		for _, test := range []struct {
			opts []tiercache.ReadOption
			from tier.ID
			ttl  time.Duration
		}{{nil, tier.L1, time.Minute}, {[]tiercache.ReadOption{tiercache.SkipL1()}, tier.L2, time.Hour}} {
			e, ok, err := f.GetEntry(t.Context(), "k", test.opts...)
			require.NoError(t, err)
			assert.True(t, ok)
			assert.Equal(t, test.ttl, e.ExpiresAt.Sub(begin))
			e.ExpiresAt = time.Time{}
			assert.Equal(t, tiercache.Entry[string]{Value: "v", Tier: test.from}, e)
		}
		require.NoError(t, f.Close(t.Context()))
		_, _, err = f.GetEntry(t.Context(), "k")
		require.ErrorIs(t, err, tiercache.ErrClosed)
		_, _, err = f.GetEntry(t.Context(), "")
		require.ErrorIs(t, err, tiercache.ErrInvalid)
	})
}

// Options that exclude each other, and Refresh without a loader, are refused before a
// tier is asked.
func TestReadOptions_Invalid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx, none := t.Context(), tiercache.ReadOption{}
	all := []tiercache.ReadOption{tiercache.SkipL1(), tiercache.SkipL2(), tiercache.Refresh()}
	for i, a := range all {
		for j, b := range all {
			_, err := f.GetOrLoad(ctx, "k", 0, loads("v", nil), a, none, b)
			if i == j {
				require.NoError(t, err, "twice the same")
				continue
			}
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			require.ErrorContains(t, err, "exclude each other")
			_, _, err = f.Get(ctx, "k", a, b)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			_, _, err = f.GetEntry(ctx, "k", none, a, b)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
		}
	}
	asked := askedTiers(f)
	asked()
	_, _, err := f.Get(ctx, "k", tiercache.Refresh())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	require.ErrorContains(t, err, "use it with GetOrLoad")
	_, _, err = f.GetEntry(ctx, "k", tiercache.Refresh())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = f.GetOrLoad(ctx, "k", 0, nil, tiercache.Refresh())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	assert.Equal(t, [2]int{}, asked())
}

// A loader that refreshes its own key would wait for itself.
func TestRefresh_InItsLoader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		_, err := f.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, _ string) (string, error) {
			return f.GetOrLoad(ctx, "k", 0, noLoad(t), tiercache.Refresh())
		}, tiercache.Refresh())
		require.ErrorIs(t, err, tiercache.ErrReentrant)
		require.NoError(t, f.Close(t.Context()))
	})
}

// The tiers have a value, and the source has a newer one.
func ExampleRefresh() {
	ctx := context.Background()
	l1, l2 := backendtest.NewMap[string](), backendtest.NewMap[string]()
	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	_ = cache.Set(ctx, "42", "Ada", time.Hour)
	load := func(context.Context, string) (string, error) { return "Ada Lovelace", nil }
	cached, _ := cache.GetOrLoad(ctx, "42", time.Hour, load)
	fresh, _ := cache.GetOrLoad(ctx, "42", time.Hour, load, tiercache.Refresh())
	entry, _, _ := cache.GetEntry(ctx, "42")
	fmt.Println(cached, "|", fresh, "|", entry.Value, entry.Tier)
	// Output:
	// Ada | Ada Lovelace | Ada Lovelace l1
}

// A process that knows of a write elsewhere asks L2.
func ExampleSkipL1() {
	ctx := context.Background()
	l1, l2 := backendtest.NewMap[string](), backendtest.NewMap[string]()
	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	_ = cache.Set(ctx, "42", "Ada", time.Hour)
	_ = l2.Set(ctx, "42", backends.Entry[string]{Value: "Grace"}) // by another process
	fmt.Println(cache.Get(ctx, "42"))
	fmt.Println(cache.Get(ctx, "42", tiercache.SkipL1()))
	fmt.Println(cache.Get(ctx, "42")) // L1 was refilled
	// Output:
	// Ada true <nil>
	// Grace true <nil>
	// Grace true <nil>
}

// A caller without time takes a value of this process, or none.
func ExampleSkipL2() {
	ctx := context.Background()
	l1, l2 := backendtest.NewMap[string](), backendtest.NewMap[string]()
	cache, err := tiercache.New("users", l1, l2, tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	_ = l2.Set(ctx, "42", backends.Entry[string]{Value: "Grace"})
	_, ok, err := cache.GetEntry(ctx, "42", tiercache.SkipL2())
	fmt.Println(ok, err)
	entry, ok, err := cache.GetEntry(ctx, "42")
	fmt.Println(entry.Value, entry.Tier, ok, err)
	// Output:
	// false <nil>
	// Grace l2 true <nil>
}

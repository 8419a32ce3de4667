package otterbackend_test

import (
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func fromCache(t *testing.T, expiry otter.ExpiryCalculator[string, otterbackend.Item[string]]) *otterbackend.Backend[string] {
	t.Helper()
	cache := otter.Must(&otter.Options[string, otterbackend.Item[string]]{MaximumSize: 100, ExpiryCalculator: expiry})
	t.Cleanup(func() { cache.StopAllGoroutines() })
	b, err := otterbackend.FromCache(cache)
	require.NoError(t, err)
	return b
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	stamps := backends.Description{InProcess: true, Abilities: backends.Abilities{Stamps: true, Walks: true}}
	assert.Equal(t, stamps, backends.DescriptionOf(open(t)))
	assert.Equal(t, stamps, backends.DescriptionOf(fromCache(t, nil)))
	versions := stamps
	versions.Abilities.Versions, versions.Abilities.Deadlines = true, true
	assert.Equal(t, versions, backends.DescriptionOf(open(t, otterbackend.WithVersions())))
}

func TestMaximum(t *testing.T) {
	t.Parallel()
	length := func(_, value string) uint32 { return uint32(len(value)) }
	for name, test := range map[string]struct {
		opts []otterbackend.Option
		sets int
		kept int
	}{
		"default":          {nil, 12_000, 10_000},
		"size":             {[]otterbackend.Option{otterbackend.WithMaximumSize(50)}, 500, 50},
		"size of one":      {[]otterbackend.Option{otterbackend.WithMaximumSize(1)}, 500, 1},
		"weight":           {[]otterbackend.Option{otterbackend.WithMaximumWeight(120, length)}, 500, 30},
		"too heavy":        {[]otterbackend.Option{otterbackend.WithMaximumWeight(3, length)}, 500, 0},
		"initial capacity": {[]otterbackend.Option{otterbackend.WithInitialCapacity(500)}, 500, 500},
		"nil option":       {[]otterbackend.Option{nil}, 500, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t, test.opts...)
				for i := range test.sets {
					mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{Value: "four"})
				}
				time.Sleep(2 * time.Second) // lets the upkeep finish
				require.Equal(t, test.kept, hits(t, b, test.sets))
			})
		})
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	t.Parallel()
	// The bubble fails when one of its goroutines is still there at the end.
	synctest.Test(t, func(t *testing.T) {
		b, err := otterbackend.New[string](otterbackend.WithMaximumSize(10))
		require.NoError(t, err)
		var users sync.WaitGroup
		for w := range 4 {
			users.Go(func() {
				for i := range 500 {
					key := strconv.Itoa(w*500 + i)
					assert.NoError(t, b.Set(t.Context(), key, backends.Entry[string]{ExpiresAt: time.Now().Add(time.Minute)}))
					_, _, err := b.Get(t.Context(), key)
					assert.NoError(t, err)
				}
			})
		}
		for range 3 {
			users.Go(func() { assert.NoError(t, b.Close()) })
		}
		users.Wait()
		require.NoError(t, b.Close())

		for i := range 500 {
			mustSet(t, b, strconv.Itoa(i), backends.Entry[string]{Value: "v"})
		}
		require.LessOrEqual(t, hits(t, b, 500), 10, "a closed backend is bounded too")
	})
}

func TestFromCache(t *testing.T) {
	t.Parallel()
	_, err := otterbackend.FromCache[string](nil)
	require.ErrorIs(t, err, otterbackend.ErrNilCache)

	cache := otter.Must(&otter.Options[string, otterbackend.Item[string]]{ExpiryCalculator: otterbackend.Expiry[string]()})
	b, err := otterbackend.FromCache(cache)
	require.NoError(t, err)
	mustSet(t, b, "k", backends.Entry[string]{Value: "v"})
	inCache, ok := cache.GetIfPresent("k")
	require.True(t, ok)
	require.Equal(t, "v", inCache.Value)
	require.NoError(t, b.Close())
	require.True(t, cache.StopAllGoroutines(), "Close has stopped a cache that it does not own")
}

func TestValuesAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	b, err := otterbackend.New[*int]()
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	value := new(int)
	require.NoError(t, b.Set(t.Context(), "k", backends.Entry[*int]{Value: value}))
	got, ok, err := b.Get(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, ok)
	require.Same(t, value, got.Value)
}

func TestConcurrentSafe(t *testing.T) {
	t.Parallel()
	b := open(t, otterbackend.WithMaximumSize(64))
	var users sync.WaitGroup
	for w := range 8 {
		users.Go(func() {
			for i := range 2_000 {
				key := strconv.Itoa((w + i) % 128)
				entry := backends.Entry[string]{Value: key}
				if i%2 == 0 {
					entry.ExpiresAt = time.Now().Add(time.Duration(i) * time.Microsecond)
				}
				assert.NoError(t, b.Set(t.Context(), key, entry))
				got, ok, err := b.Get(t.Context(), key)
				assert.NoError(t, err)
				if ok {
					assert.Equal(t, key, got.Value)
				}
				if i%5 == 0 {
					assert.NoError(t, b.Delete(t.Context(), key))
				}
			}
		})
	}
	users.Wait()
}

func TestGetAllocatesNothing(t *testing.T) {
	b := open(t)
	for name, expiresAt := range map[string]time.Time{"never expires": {}, "expires": time.Now().Add(time.Hour)} {
		mustSet(t, b, name, backends.Entry[string]{Value: "v", ExpiresAt: expiresAt})
		ctx := t.Context()
		allocs := testing.AllocsPerRun(1_000, func() {
			if _, ok, _ := b.Get(ctx, name); !ok {
				t.Error("a miss")
			}
		})
		assert.Zero(t, allocs, name)
	}
}

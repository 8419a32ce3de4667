package otterbackend_test

import (
	"reflect"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestItem(t *testing.T) {
	t.Parallel()
	latest := time.Unix(0, 1<<63-1)
	for name, test := range map[string]struct{ set, get time.Time }{
		"never":              {},
		"now":                {time.Unix(1_700_000_000, 123_456_789).UTC(), time.Unix(1_700_000_000, 123_456_789)},
		"the latest":         {latest, latest},
		"the year 9999":      {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), latest},
		"the Unix epoch":     {time.Unix(0, 0), time.Unix(0, 1)},
		"the year 1500":      {time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 1)},
		"the year 1, nearly": {time.Time{}.Add(1), time.Unix(0, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := backends.Entry[string]{Value: "v", ExpiresAt: test.get}
			assert.Equal(t, want, otterbackend.ItemOf(backends.Entry[string]{Value: "v", ExpiresAt: test.set}).Entry())
		})
	}
	assert.Equal(t, backends.Entry[int]{}, otterbackend.Item[int]{}.Entry())
}

// An entry takes less than in an otter cache that expires entries itself, although it
// may have a stamp.
func TestMemoryOfAnEntry(t *testing.T) {
	assert.EqualValues(t, 16, reflect.TypeFor[otterbackend.Item[[]byte]]().Size()-reflect.TypeFor[[]byte]().Size())

	const entries = 50_000
	keys := make([]string, entries)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	bare := heapOf(func() any {
		cache := otter.Must(&otter.Options[string, []byte]{
			MaximumSize: 2 * entries, ExpiryCalculator: otter.ExpiryWriting[string, []byte](time.Hour),
		})
		for _, key := range keys {
			cache.Set(key, nil)
		}
		cache.StopAllGoroutines()
		cache.CleanUp()
		return cache
	})
	backend := func(stamp backends.Stamp, opts ...otterbackend.Option) float64 {
		return heapOf(func() any {
			b, err := otterbackend.New[[]byte](append(opts, otterbackend.WithMaximumSize(2*entries))...)
			require.NoError(t, err)
			expiresAt := time.Now().Add(time.Hour)
			for _, key := range keys {
				assert.NoError(t, b.SetStamped(t.Context(), key, backends.Entry[[]byte]{ExpiresAt: expiresAt}, stamp))
			}
			assert.NoError(t, b.Close())
			return b
		})
	}
	plain := backend(backends.Stamp{})
	assert.InDelta(t, bare/entries-16, plain/entries, 4, "bytes of an entry, less than in an expiring otter")
	assert.InDelta(t, plain/entries+32, backend(backends.Stamp{Version: 1})/entries, 4, "bytes of a stamped entry")
	assert.InDelta(t, plain/entries+96, backend(backends.Stamp{}, otterbackend.WithVersions())/entries, 4,
		"bytes of a versioned entry")
	runtime.KeepAlive(keys)
}

// heapOf returns by how many bytes the result of create has grown the heap.
func heapOf(create func() any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	created := create()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(created)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

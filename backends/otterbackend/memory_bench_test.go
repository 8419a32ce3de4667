package otterbackend_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

const manyEntries = 1_000_000

// fillMany sets manyEntries entries with values of 100 bytes.
func fillMany(b *testing.B, set func(key string, entry backends.Entry[[]byte])) {
	b.Helper()
	expiresAt := time.Now().Add(time.Hour)
	for i := range manyEntries {
		set("key-"+strconv.Itoa(i), backends.Entry[[]byte]{Value: make([]byte, 100), ExpiresAt: expiresAt})
	}
}

func newMany(b *testing.B, opts ...otterbackend.Option) *otterbackend.Backend[[]byte] {
	b.Helper()
	store, err := otterbackend.New[[]byte](append(opts, otterbackend.WithMaximumSize(2*manyEntries))...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	return store
}

// BenchmarkHeap measures a full garbage collection over a million entries, and reports
// the bytes that each takes, its key and its value of 100 bytes included.
func BenchmarkHeap(b *testing.B) {
	for _, store := range []struct {
		name   string
		create func(b *testing.B) any
	}{
		{"expiring-otter", func(b *testing.B) any {
			b.Helper()
			cache := otter.Must(&otter.Options[string, []byte]{
				MaximumSize: 2 * manyEntries, ExpiryCalculator: otter.ExpiryWriting[string, []byte](time.Hour),
			})
			fillMany(b, func(key string, entry backends.Entry[[]byte]) { cache.Set(key, entry.Value) })
			b.Cleanup(func() { cache.StopAllGoroutines() })
			return cache
		}},
		{"plain-otter", func(b *testing.B) any {
			b.Helper()
			cache := otter.Must(&otter.Options[string, []byte]{MaximumSize: 2 * manyEntries})
			fillMany(b, func(key string, entry backends.Entry[[]byte]) { cache.Set(key, entry.Value) })
			return cache
		}},
		{"backend", func(b *testing.B) any {
			b.Helper()
			store := newMany(b)
			fillMany(b, func(key string, entry backends.Entry[[]byte]) { _ = store.Set(b.Context(), key, entry) })
			return store
		}},
		{"stamped", func(b *testing.B) any {
			b.Helper()
			store := newMany(b)
			fillMany(b, func(key string, entry backends.Entry[[]byte]) {
				_ = store.SetStamped(b.Context(), key, entry, backends.Stamp{Version: 1})
			})
			return store
		}},
	} {
		b.Run("store="+store.name, func(b *testing.B) {
			var created any
			bytes := heapOf(func() any {
				created = store.create(b)
				return created
			})
			for b.Loop() {
				runtime.GC()
			}
			b.ReportMetric(bytes/manyEntries, "B/entry")
			runtime.KeepAlive(created)
		})
	}
}

// BenchmarkSweep measures a walk over a million entries of which none has expired.
func BenchmarkSweep(b *testing.B) {
	store := newMany(b)
	fillMany(b, func(key string, entry backends.Entry[[]byte]) { _ = store.Set(b.Context(), key, entry) })
	for b.Loop() {
		otterbackend.Sweep(store)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/manyEntries, "ns/entry")
}

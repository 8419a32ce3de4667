package otterbackend_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// bare is otter alone, with the signatures of a backend.
type bare struct {
	cache *otter.Cache[string, otterbackend.Item[string]]
}

func (s bare) Get(_ context.Context, key string) (entry backends.Entry[string], ok bool, err error) {
	item, ok := s.cache.GetIfPresent(key)
	return item.Entry(), ok, nil
}

func (s bare) Set(_ context.Context, key string, entry backends.Entry[string]) error {
	s.cache.Set(key, otterbackend.ItemOf(entry))
	return nil
}

func (s bare) Delete(context.Context, string) error { return nil }

func newBare(b *testing.B, expiry otter.ExpiryCalculator[string, otterbackend.Item[string]]) bare {
	b.Helper()
	cache := otter.Must(&otter.Options[string, otterbackend.Item[string]]{MaximumSize: 10_000, ExpiryCalculator: expiry})
	b.Cleanup(func() { cache.StopAllGoroutines() })
	return bare{cache: cache}
}

// compare runs the same work on the backend, on otter without any expiry, and on
// otter with expiry and its default clock, for entries that never expire and
// entries that do.
func compare(b *testing.B, run func(b *testing.B, store backends.Backend[string], keys []string, expiresAt time.Time)) {
	b.Helper()
	keys := make([]string, 1<<10)
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
	}
	for _, store := range []struct {
		name   string
		create func(b *testing.B) backends.Backend[string]
	}{
		{"plain-otter", func(b *testing.B) backends.Backend[string] { b.Helper(); return newBare(b, nil) }},
		{"expiring-otter", func(b *testing.B) backends.Backend[string] {
			b.Helper()
			return newBare(b, otterbackend.Expiry[string]())
		}},
		{"backend", func(b *testing.B) backends.Backend[string] {
			b.Helper()
			backend, err := otterbackend.New[string]()
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = backend.Close() })
			return backend
		}},
	} {
		for _, expiry := range []struct {
			name string
			at   time.Time
		}{{"never", time.Time{}}, {"hour", time.Now().Add(time.Hour)}} {
			b.Run("store="+store.name+"/expiry="+expiry.name, func(b *testing.B) {
				run(b, store.create(b), keys, expiry.at)
			})
		}
	}
}

func BenchmarkGet(b *testing.B) {
	compare(b, func(b *testing.B, store backends.Backend[string], keys []string, expiresAt time.Time) {
		b.Helper()
		ctx := b.Context()
		for _, key := range keys {
			_ = store.Set(ctx, key, backends.Entry[string]{Value: key, ExpiresAt: expiresAt})
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, ok, _ := store.Get(ctx, keys[i%len(keys)]); !ok {
				b.Fatal("a miss")
			}
		}
	})
}

func BenchmarkSet(b *testing.B) {
	compare(b, func(b *testing.B, store backends.Backend[string], keys []string, expiresAt time.Time) {
		b.Helper()
		ctx := b.Context()
		entry := backends.Entry[string]{Value: "v", ExpiresAt: expiresAt}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if store.Set(ctx, keys[i%len(keys)], entry) != nil {
				b.Fatal("not set")
			}
		}
	})
}

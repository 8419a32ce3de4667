package badgerbackend_test

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func openBench(b *testing.B) (store *badgerbackend.Backend, keys []string, entry backends.Entry[[]byte]) {
	b.Helper()
	store, err := badgerbackend.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	for i := range 1000 {
		keys = append(keys, "key-"+strconv.Itoa(i))
	}
	return store, keys, backends.Entry[[]byte]{Value: bytes.Repeat([]byte("v"), 1000)}
}

func BenchmarkSet(b *testing.B) {
	store, keys, entry := openBench(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := store.Set(b.Context(), keys[i%len(keys)], entry); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDelete(b *testing.B) {
	store, keys, _ := openBench(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := store.Delete(b.Context(), keys[i%len(keys)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	store, keys, entry := openBench(b)
	for _, key := range keys {
		if err := store.Set(b.Context(), key, entry); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok, err := store.Get(b.Context(), keys[i%len(keys)]); !ok || err != nil {
			b.Fatal("a miss", err)
		}
	}
}

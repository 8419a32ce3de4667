package badgerbackend_test

import (
	"testing"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// BenchmarkMany measures 100 keys at a time, in a batch and one by one.
func BenchmarkMany(b *testing.B) {
	store, keys, entry := openBench(b)
	keys = keys[:100]
	var writes []backends.Write[[]byte]
	for _, key := range keys {
		writes = append(writes, backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry})
	}
	b.Run("call=WriteMany", func(b *testing.B) {
		for b.Loop() {
			done := make([]backends.Done, len(writes))
			store.WriteMany(b.Context(), writes, done)
			if done[0].Err != nil {
				b.Fatal(done[0].Err)
			}
		}
	})
	b.Run("call=Set", func(b *testing.B) {
		for b.Loop() {
			for _, key := range keys {
				if err := store.Set(b.Context(), key, entry); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("call=GetMany", func(b *testing.B) {
		for b.Loop() {
			store.GetMany(b.Context(), keys, make([]backends.Got[[]byte], len(keys)))
		}
	})
	b.Run("call=Get", func(b *testing.B) {
		for b.Loop() {
			for _, key := range keys {
				if _, ok, err := store.Get(b.Context(), key); !ok || err != nil {
					b.Fatal("a miss", err)
				}
			}
		}
	})
}

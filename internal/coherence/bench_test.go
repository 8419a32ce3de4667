package coherence_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
)

// The check of a hit, beside the one reading of the clock that it needs.
func BenchmarkTrusted(b *testing.B) {
	f := newFixture()
	defer func() { _ = f.Close(b.Context()) }()
	f.Synced(time.Now().Add(time.Hour))
	stamp := backends.Stamp{Version: v1, Epoch: f.Epoch()}
	b.Run("clock", func(b *testing.B) {
		begun, sum := time.Now(), time.Duration(0)
		for b.Loop() {
			sum += time.Since(begun)
		}
	})
	b.Run("check", func(b *testing.B) {
		fresh := 0
		for b.Loop() {
			if coherence.Fresh(&stamp, f.Trusted()) {
				fresh++
			}
		}
	})
}

// A change of which L1 knows nothing: most of them.
func BenchmarkChanged(b *testing.B) {
	f := newFixture()
	defer func() { _ = f.Close(b.Context()) }()
	changes := []backends.Change{{Key: key, Version: v1}}
	b.ReportAllocs()
	for b.Loop() {
		f.Changed(changes)
		f.forgotten, f.dropped = f.forgotten[:0], f.dropped[:0]
	}
}

func TestTrusted_DoesNotAllocate(t *testing.T) {
	f := newFixture()
	f.sync()
	stamp := backends.Stamp{Version: v1, Epoch: f.Epoch()}
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if !coherence.Fresh(&stamp, f.Trusted()) {
			t.Error("not fresh")
		}
	}))
	assert.NoError(t, f.Close(t.Context()))
}

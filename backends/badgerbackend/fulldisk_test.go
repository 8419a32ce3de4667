//go:build linux && fulldisk

package badgerbackend_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// A real disk, of 384 MiB in memory, is written to until it is full. Without
// WithMinFreeSpace badger ends this process there (SIGBUS). It needs root:
//
//	go test -tags fulldisk -run FullDisk .
func TestFullDisk(t *testing.T) {
	for name, size := range map[string]int{"small values": 2 << 10, "tables": 200 << 10, "value log": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=384m,mode=0700"), "it needs root")
			t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
			b := open(t, dir)
			least := fillDisk(t, b, dir, size)
			t.Logf("the disk had at least %d MiB left", least>>20)
			assert.Greater(t, least, uint64(64*mib), "the reserve is nearly used up")

			requireHit(t, b, "0 0", backends.Entry[[]byte]{Value: make([]byte, size)})
			require.NoError(t, b.Delete(t.Context(), "0 0"))
			requireMiss(t, b, "0 0")
			require.NoError(t, b.Close())
			open(t, dir)
		})
	}
}

// fillDisk writes new keys from several goroutines until all are refused, and for
// a while longer. It returns the least free space.
func fillDisk(t *testing.T, b *badgerbackend.Backend, dir string, size int) uint64 {
	t.Helper()
	var least atomic.Uint64
	least.Store(1 << 62)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			var until time.Time
			for i := 0; until.IsZero() || time.Now().Before(until); i++ {
				key := strconv.Itoa(w) + " " + strconv.Itoa(i)
				err := b.Set(t.Context(), key, backends.Entry[[]byte]{Value: make([]byte, size)})
				if _, ok := errors.AsType[*badgerbackend.NoSpaceError](err); ok && until.IsZero() {
					until = time.Now().Add(3 * time.Second) // for compactions
				} else if !ok && !assert.NoError(t, err) {
					return
				}
				if free, err := badgerbackend.FreeSpace(dir); err == nil && free < least.Load() {
					least.Store(free)
				}
			}
		})
	}
	writers.Wait()
	return least.Load()
}

package badgerbackend_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func tune(f func(o *badger.Options)) badgerbackend.Option {
	return badgerbackend.WithBadgerOptions(func(o badger.Options) badger.Options {
		f(&o)
		return o
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	_, brought := openDB(t, inMemory())
	can := backends.Abilities{Versions: true, Deadlines: true, Batches: true}
	for name, test := range map[string]struct {
		b    *badgerbackend.Backend
		want backends.Description
	}{
		"on disk":           {open(t, t.TempDir()), backends.Description{System: "badger", Local: true, Abilities: can}},
		"in memory":         {openInMemory(t), backends.Description{System: "badger", InProcess: true, Local: true, Abilities: can}},
		"brought in memory": {brought, backends.Description{System: "badger", InProcess: true, Local: true, Abilities: can}},
	} {
		assert.Equal(t, test.want, backends.DescriptionOf(test.b), name)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opt  badgerbackend.Option
		text string
	}{
		"interval": {
			badgerbackend.WithGCInterval(-time.Second),
			"bad option: the interval of the garbage collection is -1s: it must not be negative, and 0 turns it off",
		},
		"no cache": {
			tune(func(o *badger.Options) { o.Compression = options.Snappy }),
			"bad option: BlockCacheSize is 0: with compression or encryption it must be positive",
		},
		"encrypted without index cache": {
			tune(func(o *badger.Options) {
				o.EncryptionKey, o.BlockCacheSize = bytes.Repeat([]byte("k"), 32), 1<<20
			}),
			"bad option: IndexCacheSize is 0: with encryption it must be positive",
		},
		"badger's own": {
			tune(func(o *badger.Options) { o.ValueThreshold = 2 << 20 }),
			"Invalid ValueThreshold",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			b, err := badgerbackend.Open(dir, test.opt)
			require.Nil(t, b)
			require.ErrorContains(t, err, "badgerbackend: ")
			require.ErrorContains(t, err, test.text)
			b, err = badgerbackend.OpenInMemory(test.opt)
			require.Nil(t, b)
			require.ErrorContains(t, err, test.text)
			open(t, dir) // is not left locked
		})
	}
}

func TestTuning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var seen badger.Options
	opts := []badgerbackend.Option{
		nil, badgerbackend.WithLogger(nil), badgerbackend.WithBadgerOptions(nil), badgerbackend.WithSyncWrites(true),
		tune(func(o *badger.Options) { o.MemTableSize = 9 << 20 }),
		tune(func(o *badger.Options) { seen = *o }),
		tune(func(o *badger.Options) { o.InMemory, o.Dir = !o.InMemory, "elsewhere" }),
	}
	b := open(t, dir, opts...)
	assert.True(t, seen.SyncWrites)
	assert.EqualValues(t, 9<<20, seen.MemTableSize)
	assert.False(t, b.Describe().InProcess)
	mustSet(t, b, "k", value("v"))
	require.NoError(t, b.Close())
	requireHit(t, open(t, dir), "k", value("v"))

	assert.True(t, openInMemory(t, opts...).Describe().InProcess)
}

func TestEncryption(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := tune(func(o *badger.Options) {
		o.EncryptionKey, o.BlockCacheSize, o.IndexCacheSize = bytes.Repeat([]byte("k"), 32), 1<<20, 1<<20
	})
	b := open(t, dir, key)
	mustSet(t, b, "k", value("a value to be found"))
	require.NoError(t, b.Close())
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.False(t, bytes.Contains(data, []byte("to be found")), file)
	}
	requireHit(t, open(t, dir, key), "k", value("a value to be found"))
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelError} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
			b, err := badgerbackend.OpenInMemory(badgerbackend.WithLogger(logger))
			require.NoError(t, err)
			require.NoError(t, b.Close())
			if level == slog.LevelError {
				require.Empty(t, log.String())
				return
			}
			require.Contains(t, log.String(), `level=INFO msg="badger: Lifetime L0 stalled for: 0s"`)
			require.NotContains(t, log.String(), `\n"`, "a message ends with a line break")
		})
	}
}

// fillValueLog fills files of the value log with garbage, which badger knows of
// once its tables have been compacted, and closes the store.
func fillValueLog(t *testing.T, dir string, small badgerbackend.Option) {
	t.Helper()
	b := open(t, dir, small, tune(func(o *badger.Options) { o.CompactL0OnClose = true }))
	for round := range 4 {
		for i := range 100 {
			large := backends.Entry[[]byte]{Value: bytes.Repeat([]byte{byte(round)}, 20<<10)}
			mustSet(t, b, strconv.Itoa(i), large)
		}
	}
	require.NoError(t, b.Close())
}

// fullSoon is a disk that has room until the store is open.
func fullSoon() badgerbackend.Option {
	d := diskWith(1 << 40)
	return badgerbackend.WithFreeSpace(func(string) (uint64, error) { return d.free.Swap(0), nil })
}

func TestValueLogGC(t *testing.T) {
	t.Parallel()
	small := tune(func(o *badger.Options) { o.ValueThreshold, o.ValueLogFileSize = 1<<10, 1<<20 })
	for name, test := range map[string]struct {
		opts    []badgerbackend.Option
		after   time.Duration
		collect bool
	}{
		"default":            {nil, 10*time.Minute + time.Second, true},
		"default, too early": {nil, 10*time.Minute - time.Second, false},
		"interval":           {[]badgerbackend.Option{badgerbackend.WithGCInterval(time.Minute)}, time.Minute + time.Second, true},
		"off":                {[]badgerbackend.Option{badgerbackend.WithGCInterval(0)}, time.Hour, false},
		"full disk":          {[]badgerbackend.Option{fullSoon()}, time.Hour, false},
		"read-only":          {[]badgerbackend.Option{tune(func(o *badger.Options) { o.ReadOnly = true })}, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				fillValueLog(t, dir, small)
				files := func() int {
					logs, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
					require.NoError(t, err)
					return len(logs)
				}
				b := open(t, dir, append(test.opts, small)...)
				before := files()
				time.Sleep(test.after)
				synctest.Wait()
				if test.collect {
					require.Less(t, files(), before-2)
				} else {
					require.Equal(t, before, files())
				}
				for i := range 100 {
					requireHit(t, b, strconv.Itoa(i), backends.Entry[[]byte]{Value: bytes.Repeat([]byte{3}, 20<<10)})
				}
			})
		})
	}
}

package badgerbackend_test

import (
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// disk is one whose free space a test sets.
type disk struct {
	free  atomic.Uint64
	asked atomic.Int64
	err   error
}

func diskWith(free uint64) *disk {
	d := &disk{}
	d.free.Store(free)
	return d
}

func (d *disk) option() badgerbackend.Option {
	return badgerbackend.WithFreeSpace(func(string) (uint64, error) {
		d.asked.Add(1)
		return d.free.Load(), d.err
	})
}

func requireNoSpace(t *testing.T, err error, want badgerbackend.NoSpaceError) {
	t.Helper()
	noSpace, ok := errors.AsType[*badgerbackend.NoSpaceError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, *noSpace)
	require.Equal(t, "no_space", noSpace.ErrorType())
	require.True(t, backends.CertainlyNotApplied(err))
	require.EqualError(t, err, "badgerbackend: the "+want.Op+" was refused: the disk has "+strconv.FormatUint(want.Free, 10)+
		" bytes left, and the store needs "+strconv.FormatUint(want.Min, 10)+", because badger ends the process on a full disk: "+
		"free some space, or lower WithMinFreeSpace")
}

func TestWritesAreRefusedBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts    []badgerbackend.Option
		minimum uint64
	}{
		"default": {nil, 256 * mib},
		"option":  {[]badgerbackend.Option{badgerbackend.WithMinFreeSpace(100 * mib)}, 100 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := diskWith(test.minimum + mib)
				opts := append([]badgerbackend.Option{d.option()}, test.opts...)
				db, _ := openDB(t, badger.DefaultOptions(t.TempDir()))
				for how, b := range map[string]*badgerbackend.Backend{
					"Open": open(t, t.TempDir(), opts...), "New": over(t, db, opts...),
				} {
					d.free.Store(test.minimum + mib)
					time.Sleep(time.Second)
					mustSet(t, b, "k", value("old"))
					set, err := b.Stage(t.Context(), "k", value("staged"))
					require.NoError(t, err, how)

					d.free.Store(test.minimum - 1)
					time.Sleep(250 * time.Millisecond)
					refused := badgerbackend.NoSpaceError{Op: "write", Free: test.minimum - 1, Min: test.minimum}
					_, stageErr := b.Stage(t.Context(), "k", value("new"))
					requireNoSpace(t, stageErr, refused)
					requireNoSpace(t, b.Set(t.Context(), "k", value("new")), refused)
					requireNoSpace(t, set(t.Context()), refused)
					requireHit(t, b, "k", value("old"))

					// Deletes go on, and so do entries that only remove another.
					require.NoError(t, b.Delete(t.Context(), "other"))
					mustSet(t, b, "k", backends.Entry[[]byte]{ExpiresAt: time.Now()})
					requireMiss(t, b, "k")

					d.free.Store(test.minimum/2 - 1)
					time.Sleep(250 * time.Millisecond)
					refused = badgerbackend.NoSpaceError{Op: "delete", Free: test.minimum/2 - 1, Min: test.minimum / 2}
					requireNoSpace(t, b.Delete(t.Context(), "k"), refused)

					d.free.Store(test.minimum + mib)
					time.Sleep(250 * time.Millisecond)
					mustSet(t, b, "k", value("new"))
				}
			})
		})
	}
}

// The system is asked now and then, and not at every write.
func TestFreeSpaceIsLookedUpNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const minimum = 16 * mib // so that a MiB is a 16th of it
		d := diskWith(2 * minimum)
		b := open(t, t.TempDir(), d.option(), badgerbackend.WithMinFreeSpace(minimum))
		small, large := value("v"), backends.Entry[[]byte]{Value: make([]byte, 300<<10)}
		write := func(entry backends.Entry[[]byte], times int) (asked int64) {
			before := d.asked.Load()
			for range times {
				_ = b.Set(t.Context(), "k", entry)
			}
			return d.asked.Load() - before
		}
		assert.Zero(t, write(small, 100), "Open has asked already")
		assert.Zero(t, write(large, 3))
		assert.EqualValues(t, 1, write(large, 2), "after more than a MiB")
		time.Sleep(250*time.Millisecond - 1)
		assert.Zero(t, write(small, 100))
		time.Sleep(time.Nanosecond)
		assert.EqualValues(t, 1, write(small, 100))

		d.free.Store(0)
		time.Sleep(250 * time.Millisecond)
		assert.EqualValues(t, 1, write(small, 100), "refused writes do not ask either")

		// Writes since then count at once.
		d.free.Store(minimum + 1000)
		time.Sleep(250 * time.Millisecond)
		mustSet(t, b, "k", backends.Entry[[]byte]{Value: make([]byte, 900)})
		d.free.Store(minimum + 100)
		requireNoSpace(t, b.Set(t.Context(), "k", backends.Entry[[]byte]{Value: make([]byte, 900)}),
			badgerbackend.NoSpaceError{Op: "write", Free: minimum + 100, Min: minimum})
	})
}

func TestOpenIsRefusedOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	b, err := badgerbackend.Open(dir, diskWith(128*mib-1).option())
	require.Nil(t, b)
	requireNoSpace(t, err, badgerbackend.NoSpaceError{Op: "open", Free: 128*mib - 1, Min: 128 * mib})
	open(t, dir, diskWith(128*mib).option()) // to read, and to delete
}

func TestFreeSpaceIsNoReasonToRefuse(t *testing.T) {
	t.Parallel()
	none := badgerbackend.WithMinFreeSpace(0)
	failing := diskWith(0)
	failing.err = errors.New("this file system does not tell")
	full := diskWith(0)
	for name, b := range map[string]*badgerbackend.Backend{
		"off":                    open(t, t.TempDir(), full.option(), none),
		"in memory":              openInMemory(t, full.option()),
		"it cannot be looked up": open(t, t.TempDir(), failing.option()),
	} {
		mustSet(t, b, "k", value(name))
		require.NoError(t, b.Delete(t.Context(), "k"), name)
	}
	assert.Zero(t, full.asked.Load())
	assert.Positive(t, failing.asked.Load())

	dir := t.TempDir()
	b := open(t, dir)
	mustSet(t, b, "k", value("v"))
	require.NoError(t, b.Close())
	requireHit(t, open(t, dir, full.option(), tune(func(o *badger.Options) { o.ReadOnly = true })), "k", value("v"))
}

// The value log can have a disk of its own.
func TestFreeSpaceOfBothFolders(t *testing.T) {
	t.Parallel()
	for _, full := range []string{"keys", "values", "failing", "neither"} {
		t.Run(full, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			values := tune(func(o *badger.Options) { o.ValueDir = filepath.Join(dir, "values") })
			b, err := badgerbackend.Open(filepath.Join(dir, "keys"), values, badgerbackend.WithMinFreeSpace(math.MaxUint64),
				badgerbackend.WithFreeSpace(func(dir string) (uint64, error) {
					switch full {
					case filepath.Base(dir):
						return 7, nil
					case "failing":
						return 0, errors.ErrUnsupported
					}
					return math.MaxUint64, nil
				}))
			if full == "keys" || full == "values" {
				require.Nil(t, b)
				requireNoSpace(t, err, badgerbackend.NoSpaceError{Op: "open", Free: 7, Min: math.MaxUint64 / 2})
				return
			}
			require.NoError(t, err)
			require.NoError(t, b.Close())
		})
	}
}

func TestFreeSpaceConcurrentSafe(t *testing.T) {
	t.Parallel()
	d := diskWith(512 * mib)
	b := open(t, t.TempDir(), d.option())
	var users sync.WaitGroup
	for w := range 4 {
		users.Go(func() {
			for i := range 200 {
				d.free.Store(uint64(i%2) * 512 * mib)
				key := strconv.Itoa(w)
				if err := b.Set(t.Context(), key, value("v")); err != nil {
					assert.True(t, backends.CertainlyNotApplied(err))
				}
				_, _, err := b.Get(t.Context(), key)
				assert.NoError(t, err)
			}
		})
	}
	users.Wait()
}

func TestFreeSpace(t *testing.T) {
	t.Parallel()
	free, err := badgerbackend.FreeSpace(t.TempDir())
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	require.NoError(t, err)
	assert.Greater(t, free, uint64(mib))
	_, err = badgerbackend.FreeSpace(filepath.Join(t.TempDir(), "missing"))
	assert.Error(t, err)
}

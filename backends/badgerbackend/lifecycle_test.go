package badgerbackend_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func TestReopening(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "made", "by", "Open")
		now := time.Now()
		immortal := value("immortal")
		mortal := backends.Entry[[]byte]{Value: []byte("mortal"), ExpiresAt: now.Add(time.Hour + 1)}
		short := backends.Entry[[]byte]{Value: []byte("short"), ExpiresAt: now.Add(time.Minute)}

		b := open(t, dir)
		mustSet(t, b, "immortal", immortal)
		mustSet(t, b, "mortal", mortal)
		mustSet(t, b, "short", short)
		mustSet(t, b, "deleted", immortal)
		require.NoError(t, b.Delete(t.Context(), "deleted"))
		require.NoError(t, b.Close())
		time.Sleep(time.Minute)

		b = open(t, dir)
		requireHit(t, b, "immortal", immortal)
		requireHit(t, b, "mortal", mortal)
		requireMiss(t, b, "short")
		requireMiss(t, b, "deleted")
		time.Sleep(time.Hour - time.Minute)
		requireHit(t, b, "mortal", mortal)
		time.Sleep(time.Nanosecond)
		requireMiss(t, b, "mortal")
	})
}

// A copy of the folder is the one that a process would find after this one was killed.
func TestWritesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir, after := t.TempDir(), t.TempDir()
	b := open(t, dir)
	for i := range 100 {
		mustSet(t, b, strconv.Itoa(i), value("v"))
	}
	require.NoError(t, b.Delete(t.Context(), "0"))
	require.NoError(t, os.CopyFS(filepath.Join(after, "copy"), os.DirFS(dir)))

	b = open(t, filepath.Join(after, "copy"))
	requireMiss(t, b, "0")
	for i := 1; i < 100; i++ {
		requireHit(t, b, strconv.Itoa(i), value("v"))
	}
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	again, err := badgerbackend.Open(dir)
	require.Nil(t, again)
	require.ErrorIs(t, err, badgerbackend.ErrInUse)
	require.ErrorContains(t, err, strconv.Quote(dir)+" is open in another process or in this one: "+
		"close it there, or give each a folder of its own")

	require.NoError(t, b.Close())
	open(t, dir)
}

func TestFoldersThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	garbage := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(garbage, "MANIFEST"), []byte("not of badger"), 0o600))
	for name, test := range map[string]struct{ dir, text string }{
		"none":     {"", "no folder is given: name one, or use OpenInMemory"},
		"a file":   {file, "check that it is a folder with nothing but a badger store in it, and that this process may write to it"},
		"below it": {filepath.Join(file, "sub"), "check that it is a folder"},
		"not ours": {garbage, "check that it is a folder with nothing but a badger store in it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := badgerbackend.Open(test.dir)
			require.Nil(t, b)
			require.ErrorContains(t, err, test.text)
			require.ErrorContains(t, err, "badgerbackend: ")
			require.NotErrorIs(t, err, badgerbackend.ErrInUse)
		})
	}
}

func requireClosed(t *testing.T, b *badgerbackend.Backend, staged func() error) {
	t.Helper()
	_, ok, getErr := b.Get(t.Context(), "k")
	require.False(t, ok)
	_, stageErr := b.Stage(t.Context(), "k", value("v"))
	for call, err := range map[string]error{
		"Get": getErr, "Set": b.Set(t.Context(), "k", value("v")), "Delete": b.Delete(t.Context(), "k"), "staged": staged(),
	} {
		require.ErrorIs(t, err, backends.ErrClosed, call)
		require.True(t, backends.CertainlyNotApplied(err), call)
		require.EqualError(t, err, "backends: the backend is closed: open another one", call)
	}
	require.ErrorIs(t, stageErr, backends.ErrClosed)
	var typed interface{ ErrorType() string }
	require.ErrorAs(t, stageErr, &typed)
	require.Equal(t, "closed", typed.ErrorType())
}

func TestClosed(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*badgerbackend.Backend{"on disk": open(t, t.TempDir()), "in memory": openInMemory(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := b.Stage(t.Context(), "k", value("v"))
			require.NoError(t, err)
			var closers sync.WaitGroup
			for range 4 {
				closers.Go(func() { assert.NoError(t, b.Close()) })
			}
			closers.Wait()
			requireClosed(t, b, func() error { return set(t.Context()) })
		})
	}
}

func TestBroughtStore(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	mustSet(t, b, "k", value("v"))
	set, err := b.Stage(t.Context(), "k", value("v"))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	requireClosed(t, b, func() error { return set(t.Context()) })

	require.False(t, db.IsClosed(), "Close has closed a store that it does not own")
	b, err = badgerbackend.New(db)
	require.NoError(t, err)
	requireHit(t, b, "k", value("v"))
	set, err = b.Stage(t.Context(), "k", value("v"))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	requireClosed(t, b, func() error { return set(t.Context()) })

	_, err = badgerbackend.New(db)
	require.ErrorIs(t, err, backends.ErrClosed)
	_, err = badgerbackend.New(nil)
	require.ErrorIs(t, err, badgerbackend.ErrNilDB)
	managed, err := badger.OpenManaged(inMemory().WithLogger(nil))
	require.NoError(t, err)
	defer func() { require.NoError(t, managed.Close()) }()
	_, err = badgerbackend.New(managed)
	require.ErrorIs(t, err, badgerbackend.ErrManagedDB)
}

// Close may come at any time: a call either happens or is refused, and acknowledged
// writes are there afterwards.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	var users sync.WaitGroup
	var acknowledged sync.Map
	started := make(chan struct{}, 8)
	for w := range 8 {
		users.Go(func() {
			for i := 0; ; i++ {
				key := strconv.Itoa(w) + " " + strconv.Itoa(i)
				if err := b.Set(t.Context(), key, value(key)); err != nil {
					assert.ErrorIs(t, err, backends.ErrClosed)
					return
				}
				acknowledged.Store(key, nil)
				if _, _, err := b.Get(t.Context(), key); err != nil {
					assert.ErrorIs(t, err, backends.ErrClosed)
				}
				if i == 20 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-started
	}
	require.NoError(t, b.Close())
	users.Wait()

	b = open(t, dir)
	acknowledged.Range(func(key, _ any) bool {
		requireHit(t, b, key.(string), value(key.(string)))
		return true
	})
}

func TestConcurrentSafe(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	staged, err := b.Stage(t.Context(), "staged once", value("v"))
	require.NoError(t, err)
	var users sync.WaitGroup
	for w := range 8 {
		users.Go(func() {
			for i := range 200 {
				assert.NoError(t, staged(t.Context()))
				key := strconv.Itoa((w + i) % 16)
				assert.NoError(t, b.Set(t.Context(), key, backends.Entry[[]byte]{
					Value: []byte(key), ExpiresAt: time.Now().Add(time.Duration(i) * time.Millisecond),
				}))
				got, ok, err := b.Get(t.Context(), key)
				assert.NoError(t, err)
				if ok {
					assert.Equal(t, key, string(got.Value))
				}
				if i%5 == 0 {
					assert.NoError(t, b.Delete(t.Context(), key))
				}
			}
		})
	}
	users.Wait()
}

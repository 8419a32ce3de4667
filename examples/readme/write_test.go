package readme_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func newRows(l1, l2 backends.Backend[Row]) (*tiercache.Cache[Row], error) {
	return tiercache.New("rows", l1, l2, tiercache.WithSourceVersion(func(r Row) uint64 { return r.Version }))
}

func rename(ctx context.Context, db *DB, rows *tiercache.Cache[Row], id, name string) error {
	row, err := db.Rename(ctx, id, name) // UPDATE rows SET version = nextval(...) ... RETURNING *
	if err != nil {
		return err // if the commit may have happened, read the row again, and Set that
	}
	return rows.Set(context.WithoutCancel(ctx), id, row, time.Hour) // after a DELETE: rows.DeleteVersion
}

type Row struct {
	Name    string
	Version uint64
}

// DB stands for a database.
type DB struct {
	mu      sync.Mutex
	version uint64
	left    func() // called after a commit
}

func (d *DB) Rename(_ context.Context, _, name string) (Row, error) {
	d.mu.Lock()
	d.version++
	row, left := Row{name, d.version}, d.left
	d.mu.Unlock()
	if left != nil {
		left()
	}
	return row, nil
}

func newTestRows(t *testing.T) *tiercache.Cache[Row] {
	t.Helper()
	l1, err := otterbackend.New[Row]()
	require.NoError(t, err)
	store, err := badgerbackend.OpenInMemory()
	require.NoError(t, err)
	l2, err := backends.WithCodec(store, backends.JSON[Row]())
	require.NoError(t, err)
	rows, err := newRows(l1, l2)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, rows.Close(context.WithoutCancel(t.Context())))
		assert.NoError(t, l1.Close())
		assert.NoError(t, store.Close())
	})
	return rows
}

// Another writer passes this one between the database and the cache, and the client of
// this one leaves there: the cache has what was committed last.
func TestRename(t *testing.T) {
	t.Parallel()
	rows, db := newTestRows(t), &DB{}
	ctx, leave := context.WithCancel(t.Context())
	db.left = func() {
		db.left = nil
		leave()
		require.NoError(t, rename(t.Context(), db, rows, "42", "Grace"))
	}
	require.NoError(t, rename(ctx, db, rows, "42", "Ada"))
	got, ok, err := rows.Get(t.Context(), "42")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, Row{"Grace", 2}, got)

	require.NoError(t, rows.DeleteVersion(t.Context(), "42", 3))
	require.NoError(t, rows.Set(t.Context(), "42", got, time.Hour))
	_, ok, err = rows.Get(t.Context(), "42")
	require.NoError(t, err)
	assert.False(t, ok, "the deletion is newer")
}

package tiercache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// rowsWithoutVersions is a database and the processes that cache its rows. A process commits a
// row and deletes its key then; from the return on, L2 must not have an older row.
type rowsWithoutVersions struct {
	*random
	nodes []node
	store *backendtest.Store[string]

	dbMu    sync.Mutex
	rows    map[string]int // that were committed last
	deleted map[string]int // whose keys have been deleted since
	older   []string       // rows that were seen in L2 in spite of that
}

func newRowsWithoutVersions(t *testing.T, seed uint64, opts ...tiercache.Option) *rowsWithoutVersions {
	t.Helper()
	d := &rowsWithoutVersions{
		random: &random{rng: rand.New(rand.NewPCG(seed, 1))}, //nolint:gosec // to be repeatable
		store:  backendtest.NewStore[string](), rows: make(map[string]int), deleted: make(map[string]int),
	}
	for range 3 {
		n := node{map1: backendtest.NewMap[string](), store: d.store}
		n.l1, n.l2 = backendtest.WithFaults(n.map1), backendtest.WithFaults(d.store.Client())
		n.l2.Always(tier.Get, d.fault)
		n.l2.Always(tier.Set, d.fault)
		var err error
		n.Cache, err = tiercache.New("users", n.l1, n.l2, append(opts, tiercache.WithRefreshAhead(0.5))...)
		require.NoError(t, err)
		d.nodes = append(d.nodes, n)
	}
	return d
}

// fault delays a read of L2 or the write of a loaded row, or lets it fail before or after it
// was made.
func (d *rowsWithoutVersions) fault(ctx context.Context, apply func(context.Context) error) error {
	d.pause(100)
	switch d.intN(10) {
	case 0:
		return errRefused
	case 1:
		_ = apply(ctx)
		return errRefused
	default:
		err := apply(ctx)
		d.pause(100)
		return err
	}
}

func (d *rowsWithoutVersions) pause(most int) {
	time.Sleep(time.Duration(d.intN(most*1000)) * time.Microsecond)
}

// commit changes a row, and then deletes its key.
func (d *rowsWithoutVersions) commit(t *testing.T, n node, key string) {
	t.Helper()
	d.dbMu.Lock()
	d.rows[key]++
	row := d.rows[key]
	d.dbMu.Unlock()
	d.pause(50)
	assert.NoError(t, n.Delete(t.Context(), key))
	d.dbMu.Lock()
	d.deleted[key] = max(d.deleted[key], row)
	d.dbMu.Unlock()
}

func (d *rowsWithoutVersions) read(_ context.Context, key string) (string, error) {
	d.pause(50)
	d.dbMu.Lock()
	row := d.rows[key]
	d.dbMu.Unlock()
	d.pause(300)
	if row%5 == 4 {
		return "", backends.ErrNotFound
	}
	return strconv.Itoa(row), nil
}

func (d *rowsWithoutVersions) readMany(ctx context.Context, keys []string) (map[string]string, error) {
	rows := make(map[string]string)
	for _, key := range keys {
		if row, err := d.read(ctx, key); err == nil {
			rows[key] = row
		}
	}
	return rows, nil
}

// step is one call of a process.
func (d *rowsWithoutVersions) step(t *testing.T, keys []string) {
	t.Helper()
	n, key, ttl := d.nodes[d.intN(len(d.nodes))], keys[d.intN(len(keys))], time.Duration(1+d.intN(3))*300*time.Millisecond
	switch d.intN(6) {
	case 0, 1:
		d.commit(t, n, key)
	case 2:
		_, _ = n.GetOrLoad(t.Context(), key, ttl, d.read, tiercache.Refresh())
	case 3:
		_, _ = n.GetOrLoadMany(t.Context(), keys, ttl, d.readMany)
	default:
		_, _ = n.GetOrLoad(t.Context(), key, ttl, d.read)
	}
	d.check()
}

// check notes rows in L2 that are older than a deletion which has returned.
func (d *rowsWithoutVersions) check() {
	d.dbMu.Lock()
	defer d.dbMu.Unlock()
	for key, entry := range d.store.Snapshot() {
		if row, err := strconv.Atoi(entry.Value); err == nil && row < d.deleted[key] {
			d.older = append(d.older, fmt.Sprintf("%s has row %d, though %d was deleted", key, row, d.deleted[key]))
		}
	}
}

// run lets several callers make steps, and returns the older rows that were seen.
func (d *rowsWithoutVersions) run(t *testing.T) []string {
	t.Helper()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 40 {
				d.pause(200)
				d.step(t, []string{"a", "b"})
			}
		})
	}
	wg.Wait()
	for _, n := range d.nodes {
		require.NoError(t, n.Close(t.Context()))
	}
	d.check()
	return d.older
}

// No load of any process brings back a row that was replaced before a deletion which has
// returned. Without the option, many do.
func TestConditionalLoads_Random(t *testing.T) {
	t.Parallel()
	seed := chaosSeed(t)
	for round := range uint64(20) {
		t.Run(strconv.FormatUint(round, 10), func(t *testing.T) {
			t.Parallel()
			t.Logf("TIERCACHE_SEED=%d", seed)
			synctest.Test(t, func(t *testing.T) {
				assert.Empty(t, newRowsWithoutVersions(t, seed+round, tiercache.WithConditionalLoads()).run(t))
			})
		})
	}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { assert.NotEmpty(t, newRowsWithoutVersions(t, seed).run(t)) })
	})
}

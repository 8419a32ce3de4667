package tiercache_test

import (
	"context"
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

// If L2 could not be read, or must not be, the value is written if L2 has nothing.
func TestConditionalLoads_L2NotRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails bool
		opts  []tiercache.ReadOption
	}{
		"the read failed": {fails: true},
		"it is skipped":   {opts: []tiercache.ReadOption{tiercache.SkipL2()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := conditionalNode(t)
				fail := func() {
					if test.fails {
						n.l2.Next(tier.Get, backendtest.FailBefore(errRefused))
					}
				}
				fail()
				n.load(t, deletes(t), test.opts...)
				assert.Equal(t, inNeither, n.inTiers(), "a deletion during the load")
				fail()
				n.load(t, changesNothing, test.opts...)
				assert.Equal(t, inNeither, n.inTiers(), "one before the load may have come during it")
				time.Sleep(backends.DefaultKeep)
				fail()
				n.load(t, changesNothing, test.opts...)
				assert.Equal(t, inBoth, n.inTiers())
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// A refresh that cannot read L2 does not replace its entry. One that finds no row removes
// it all the same.
func TestConditionalLoads_RefreshWithoutAVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := conditionalNode(t)
		require.NoError(t, n.Set(t.Context(), "k", "first", 0))
		n.l2.Next(tier.Get, backendtest.FailBefore(errRefused))
		n.load(t, changesNothing, tiercache.Refresh())
		assert.Equal(t, [2]string{"", "first"}, n.inTiers())
		n.l2.Next(tier.Get, backendtest.FailBefore(errRefused))
		_, err := n.GetOrLoad(t.Context(), "k", 0, loads("", backends.ErrNotFound), tiercache.Refresh())
		require.ErrorIs(t, err, backends.ErrNotFound)
		assert.Equal(t, inNeither, n.inTiers())
		require.NoError(t, n.Close(t.Context()))
	})
}

// What the option does not keep out: a load that takes longer than L2 remembers a deletion.
func TestConditionalLoads_SlowerThanATombstone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before func(t *testing.T, n node)
		takes  time.Duration
		want   [2]string
	}{
		"faster":                           {takes: backends.DefaultKeep - 1, want: inNeither},
		"slower":                           {takes: backends.DefaultKeep, want: inBoth},
		"slower, but L2 knew the deletion": {before: func(t *testing.T, n node) { t.Helper(); deletes(t)(n.store.Client()) }, takes: time.Hour, want: inNeither},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := conditionalNode(t)
				if test.before != nil {
					test.before(t, n)
				}
				n.load(t, func(other *backendtest.Client[string]) {
					deletes(t)(other)
					time.Sleep(test.takes)
				})
				assert.Equal(t, test.want, n.inTiers())
				require.NoError(t, n.Close(t.Context()))
			})
		})
	}
}

// An entry that was stored without a version cannot be compared. It is not replaced, and
// not refreshed at every hit either.
func TestConditionalLoads_EntryWithoutAVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := backendtest.NewMap[string](), unversioned{backendtest.NewStore[string]().Client()}
		c, err := tiercache.New[string]("users", l1, l2, tiercache.WithConditionalLoads(), tiercache.WithRefreshAhead(0.5))
		require.NoError(t, err)
		require.NoError(t, c.Set(t.Context(), "k", "first", time.Minute))
		time.Sleep(40 * time.Second)
		calls := 0
		for range 3 {
			got, err := c.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context, string) (string, error) {
				calls++
				return "new", nil
			})
			require.NoError(t, err)
			assert.Equal(t, "first", got)
			synctest.Wait()
		}
		assert.Equal(t, 1, calls)
		require.NoError(t, c.Close(t.Context()))
	})
}

// unversioned is a store whose entries were stored before it had versions.
type unversioned struct{ *backendtest.Client[string] }

func (u unversioned) GetIf(ctx context.Context, key string, _ backends.Version) (backends.Entry[string], backends.Answer, error) {
	entry, answer, err := u.Client.GetIf(ctx, key, 0)
	return entry, backends.Answer{Found: answer.Found}, err
}

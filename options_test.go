package tiercache_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/writepolicy"
)

func TestInvalidInputIsRefused(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[int]()
	for name, test := range map[string]struct {
		name string
		l1   backends.Backend[int]
		l2   backends.Backend[int]
		opt  tiercache.Option
		want string
	}{
		"no name":          {"", m, m, nil, "name is empty"},
		"no L1":            {"c", nil, m, nil, "l1 is nil"},
		"no L2":            {"c", m, nil, nil, "l2 is nil"},
		"no timeout":       {"c", m, m, tiercache.WithWriteTimeout(0), "write timeout is 0s"},
		"negative timeout": {"c", m, m, tiercache.WithWriteTimeout(-1), "write timeout is -1ns"},
		"bad policy":       {"c", m, m, tiercache.WithWritePolicy(writepolicy.Race(writepolicy.MaxDetached(-1))), "MaxDetached(-1)"},
		"bad L1 TTL":       {"c", m, m, tiercache.WithL1TTL(-1, 0), "WithL1TTL(-1ns)"},
		"bad jitter":       {"c", m, m, tiercache.WithL1TTL(1, 1), "jitter is 1"},
		"no jitter":        {"c", m, m, tiercache.WithL1TTL(1, math.NaN()), "jitter is NaN"},
		"bad negative TTL": {"c", m, m, tiercache.WithNegativeTTL(-1), "WithNegativeTTL(-1ns)"},
		"bad stale limit":  {"c", m, m, tiercache.WithStaleIfError(-1), "WithStaleIfError(-1ns)"},
		"bad fraction":     {"c", m, m, tiercache.WithRefreshAhead(1.5), "WithRefreshAhead is 1.5"},
		"bad refill":       {"c", m, m, tiercache.WithRefill(7), "WithRefill(7)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tiercache.New(test.name, test.l1, test.l2, test.opt)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			require.ErrorContains(t, err, test.want)
		})
	}

	f := newFixture(t, nil, tiercache.WithWritePolicy(nil), tiercache.WithClassifier(nil), tiercache.WithInconsistencyHook(nil))
	require.ErrorIs(t, f.Set(t.Context(), "", "v", 0), tiercache.ErrInvalid)
	require.ErrorIs(t, f.Set(t.Context(), "k", "v", -1), tiercache.ErrInvalid)
	require.ErrorIs(t, f.Delete(t.Context(), ""), tiercache.ErrInvalid)
	_, _, err := f.Get(t.Context(), "")
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	load := func(context.Context, string) (string, error) { return "", nil }
	_, err = f.GetOrLoad(t.Context(), "", 0, load)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = f.GetOrLoad(t.Context(), "k", -1, load)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = f.GetOrLoad(t.Context(), "k", 0, nil)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	assert.Zero(t, writeCalls(f.L1)+writeCalls(f.L2))
}

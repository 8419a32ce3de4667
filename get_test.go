package tiercache_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

func TestGet_AsksL1ThenL2(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		l1, l2         string // what they hold
		fault1, fault2 backendtest.Fault
		want           string
		err            []string
	}{
		{name: "a hit in L1", l1: "one", l2: "two", want: "one"},
		{name: "a hit in L2", l2: "two", want: "two"},
		{name: "a miss"},
		{name: "an error of L1 does not hide L2", l1: "one", l2: "two", fault1: backendtest.Lose(lostError{}), want: "two"},
		{name: "a panic of L1 does not hide L2", l2: "two", fault1: backendtest.Panic("!"), want: "two"},
		{name: "an error of L1 and a miss", fault1: backendtest.Lose(lostError{}), err: []string{"l1 get failed: connection lost while writing [key]"}},
		{name: "a miss and an error of L2", fault2: backendtest.Lose(errRefused), err: []string{"l2 get failed: refused"}},
		{
			name: "two errors", fault1: backendtest.Lose(errRefused), fault2: backendtest.Panic("!"),
			err: []string{"l1 get failed: refused", "l2 get failed: panic (string)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for m, v := range map[*backendtest.Map[string]]string{f.Map1: test.l1, f.Map2: test.l2} {
				if v != "" {
					require.NoError(t, m.Set(t.Context(), secretKey, backends.Entry[string]{Value: v}))
				}
			}
			f.L1.Next(tier.Get, test.fault1)
			f.L2.Next(tier.Get, test.fault2)
			got, ok, err := f.Get(t.Context(), secretKey)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want != "", ok)
			if len(test.err) == 0 {
				require.NoError(t, err)
				return
			}
			for _, text := range test.err {
				require.ErrorContains(t, err, text)
			}
			assert.NotContains(t, err.Error(), secretKey)
		})
	}
}

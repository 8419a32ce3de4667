package tiercache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
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

// A hit in L1 asks L1 once and L2 not at all, also when a write begins meanwhile.
func TestHitAsksL1Once(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]tiercache.Option{
		"values":     nil,
		"entries":    {tiercache.WithStaleIfError(time.Minute)},
		"with spans": {tiercache.WithL1HitSpans()},
	} {
		for _, overtaken := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, overtaken %t", name, overtaken), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, opts...)
				require.NoError(t, f.Set(t.Context(), "k", "old", 0))
				if overtaken {
					f.L1.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error {
						err := next(ctx)
						assert.NoError(t, f.Set(t.Context(), "k", "new", 0))
						return err
					})
				}
				value, ok, err := f.Get(t.Context(), "k")
				require.NoError(t, err)
				assert.True(t, ok)
				assert.Equal(t, "old", value)
				assert.Equal(t, 1, f.L1.Calls(tier.Get))
				value, err = f.GetOrLoad(t.Context(), "k", 0, returns("loaded", nil))
				require.NoError(t, err)
				assert.NotEqual(t, "loaded", value)
				assert.Equal(t, 2, f.L1.Calls(tier.Get))
				assert.Zero(t, f.L2.Calls(tier.Get))
			})
		}
	}
}

// A parallel read returns the value that expires later, and that of L1 if both expire
// at one time.
func TestParallelRead_WhichTier(t *testing.T) {
	t.Parallel()
	now := time.Now()
	soon, later, never := now.Add(time.Hour), now.Add(2*time.Hour), time.Time{}
	for name, test := range map[string]struct {
		l1, l2 *time.Time // nil: the tier has nothing
		want   string
	}{
		"L1 later":        {&later, &soon, "one"},
		"L2 later":        {&soon, &later, "two"},
		"equal":           {&soon, &soon, "one"},
		"L1 never":        {&never, &later, "one"},
		"L2 never":        {&later, &never, "two"},
		"both never":      {&never, &never, "one"},
		"L1 alone":        {&soon, nil, "one"},
		"L1 alone, never": {&never, nil, "one"},
		"L2 alone":        {nil, &soon, "two"},
		"L2 alone, never": {nil, &never, "two"},
		"neither":         {nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tiercache.WithReadPolicy(readpolicy.Parallel()))
			if test.l1 != nil {
				require.NoError(t, f.Map1.Set(t.Context(), "k", backends.Entry[string]{Value: "one", ExpiresAt: *test.l1}))
			}
			if test.l2 != nil {
				require.NoError(t, f.Map2.Set(t.Context(), "k", backends.Entry[string]{Value: "two", ExpiresAt: *test.l2}))
			}
			got, ok, err := f.Get(t.Context(), "k")
			require.NoError(t, err)
			assert.Equal(t, test.want != "", ok)
			assert.Equal(t, test.want, got)
		})
	}
}

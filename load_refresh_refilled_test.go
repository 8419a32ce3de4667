package tiercache_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
)

// A refill keeps an entry in L1 for a day at most. A refresh of a TTL of weeks, which is due in its
// last days, is not due at once then, and again after each write of another process. An entry
// that this process has stored is due by its whole TTL.
func TestRefreshAhead_OfALongTTL(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	for name, test := range map[string]struct {
		store func(t *testing.T, f *fixture)
		ttl   time.Duration // of L1's entry
	}{
		"a refill": {func(t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.L2.Set(t.Context(), "k", backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(week)}))
		}, tiercache.DefaultMaxRefillTTL},
		"a write": {func(t *testing.T, f *fixture) {
			t.Helper()
			require.NoError(t, f.Set(t.Context(), "k", "v", week))
		}, week},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithRefreshAhead(0.2))
				load, loads := counting()
				get := func() {
					_, err := f.GetOrLoad(t.Context(), "k", week, load)
					require.NoError(t, err)
					synctest.Wait()
				}
				test.store(t, f)
				get() // it refills L1 if need be
				get()
				assert.Zero(t, *loads, "L2 has the value for a week")
				time.Sleep(test.ttl * 4 / 5)
				get()
				assert.Zero(t, *loads, "not yet")
				time.Sleep(time.Nanosecond)
				get()
				assert.Equal(t, 1, *loads)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

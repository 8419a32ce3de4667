package tiercache_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
)

// The cache remembers the TTLs that loaders set of 10,000 keys. Once those have ended, there is
// room for others, also if the TTLs were much longer when the room was looked for before.
func TestSetTTL_RoomAgain(t *testing.T) {
	t.Parallel()
	const most, month = 10_000, 30 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, tiercache.WithRefreshAhead(0.5))
		loads := 0
		load := func(key int, ttl time.Duration, opts ...tiercache.ReadOption) {
			t.Helper()
			_, err := f.GetOrLoad(t.Context(), fmt.Sprint(key), time.Hour, func(ctx context.Context, _ string) (string, error) {
				loads++
				return "v", tiercache.SetTTL(ctx, ttl)
			}, opts...)
			require.NoError(t, err)
			synctest.Wait()
		}
		for key := range most + 1 { // no room for the last
			load(key, month)
		}
		for key := range most {
			load(key, time.Minute, tiercache.Refresh())
		}
		time.Sleep(2 * time.Minute)
		load(-1, 10*time.Second)
		loads = 0
		time.Sleep(5 * time.Second)
		load(-1, 10*time.Second)
		assert.Zero(t, loads, "not yet, by the TTL of the loader")
		time.Sleep(time.Nanosecond)
		load(-1, 10*time.Second)
		assert.Equal(t, 1, loads)
		require.NoError(t, f.Close(t.Context()))
	})
}

package otterbackend_test

import (
	"context"
	"errors"
	"math"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

func requireStamp(t *testing.T, b *otterbackend.Backend[string], key, value string, want backends.Stamp) {
	t.Helper()
	got, stamp, ok, err := b.GetStamped(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok, "a miss at %q", key)
	require.Equal(t, value, got.Value)
	require.Equal(t, want, stamp)
}

// A fresh value is one whose stamp has the epoch and a version, and that has not expired.
func TestGetFresh(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]otterbackend.Option{"plain": nil, "versioned": {otterbackend.WithVersions()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t, opts...)
				fresh := func(epoch uint32) bool {
					value, ok, err := b.GetFresh(t.Context(), "k", epoch)
					require.NoError(t, err)
					require.Equal(t, ok, value == "v")
					return ok
				}
				entry := backends.Entry[string]{Value: "v", ExpiresAt: time.Now().Add(time.Minute)}
				assert.False(t, fresh(0))
				require.NoError(t, b.Set(t.Context(), "k", entry))
				assert.False(t, fresh(0), "it has no version")
				require.NoError(t, b.SetStamped(t.Context(), "k", entry, backends.Stamp{Version: 1, Epoch: 2}))
				assert.True(t, fresh(2))
				assert.False(t, fresh(1))
				require.NoError(t, b.SetStamped(t.Context(), "k", entry, backends.Stamp{Epoch: 2}))
				assert.False(t, fresh(2))
				require.NoError(t, b.SetStamped(t.Context(), "k", entry, backends.Stamp{Version: 1, Epoch: 2}))
				time.Sleep(time.Minute)
				assert.False(t, fresh(2), "it has expired")
			})
		})
	}
}

func TestStamps(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]otterbackend.Option{"plain": nil, "versioned": {otterbackend.WithVersions()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := open(t, opts...)
				stamp := backends.Stamp{Version: math.MaxUint64, Source: math.MaxUint64 - 1, Epoch: math.MaxUint32}
				expiresAt := time.Now().Add(time.Minute)
				entry := backends.Entry[string]{Value: "a", ExpiresAt: expiresAt}
				for range 3 { // otter replaces in another way the second time
					require.NoError(t, b.SetStamped(t.Context(), "k", entry, stamp))
					requireStamp(t, b, "k", "a", stamp)
					requireHit(t, b, "k", entry)
					mustSet(t, b, "k", backends.Entry[string]{Value: "b"})
					requireStamp(t, b, "k", "b", backends.Stamp{})
				}
				require.NoError(t, b.SetStamped(t.Context(), "k", entry, stamp))
				time.Sleep(time.Until(expiresAt))
				got, none, ok, err := b.GetStamped(t.Context(), "k")
				require.NoError(t, err)
				require.False(t, ok, "a hit")
				require.Zero(t, got)
				require.Zero(t, none)
			})
		})
	}
}

// A reader never sees the value of one Set with the stamp of another.
func TestStampBelongsToItsValue(t *testing.T) {
	t.Parallel()
	b := open(t)
	var users sync.WaitGroup
	for w := range 3 {
		users.Go(func() {
			for i := range 5_000 {
				n := w*5_000 + i
				entry := backends.Entry[string]{Value: strconv.Itoa(n), ExpiresAt: time.Unix(1<<33, int64(n))}
				assert.NoError(t, b.SetStamped(t.Context(), "k", entry, backends.Stamp{Version: backends.Version(n), Epoch: uint32(n)}))
			}
		})
		users.Go(func() {
			for range 5_000 {
				entry, stamp, ok, err := b.GetStamped(t.Context(), "k")
				assert.NoError(t, err)
				if !ok {
					continue
				}
				n := int(stamp.Epoch)
				assert.Equal(t, strconv.Itoa(n), entry.Value)
				assert.Equal(t, n, entry.ExpiresAt.Nanosecond())
				assert.EqualValues(t, n, stamp.Version)
			}
		})
	}
	users.Wait()
}

func TestGetStampedAllocatesNothing(t *testing.T) {
	b := open(t)
	ctx := t.Context()
	for name, expiresAt := range map[string]time.Time{"never expires": {}, "expires": time.Now().Add(time.Hour)} {
		require.NoError(t, b.SetStamped(ctx, name, backends.Entry[string]{Value: "v", ExpiresAt: expiresAt}, backends.Stamp{Epoch: 1}))
		allocs := testing.AllocsPerRun(1_000, func() {
			if _, stamp, ok, _ := b.GetStamped(ctx, name); !ok || stamp.Epoch != 1 {
				t.Error("a miss, or another stamp")
			}
		})
		assert.Zero(t, allocs, name)
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := open(t)
		want := make(map[string]backends.Stamp)
		for i := range 500 {
			key := strconv.Itoa(i)
			want[key] = backends.Stamp{Epoch: uint32(i)}
			require.NoError(t, b.SetStamped(t.Context(), key, backends.Entry[string]{Value: key}, want[key]))
		}
		mustSet(t, b, "plain", backends.Entry[string]{})
		want["plain"] = backends.Stamp{}
		mustSet(t, b, "expired", backends.Entry[string]{ExpiresAt: time.Now().Add(time.Millisecond)})
		time.Sleep(time.Millisecond)

		got := make(map[string]backends.Stamp)
		require.NoError(t, b.Walk(t.Context(), func(key string, stamp backends.Stamp) bool {
			assert.NotContains(t, got, key)
			got[key] = stamp
			return true
		}))
		require.Equal(t, want, got)

		visits := 0
		require.NoError(t, b.Walk(t.Context(), func(string, backends.Stamp) bool {
			visits++
			return visits < 3
		}))
		require.Equal(t, 3, visits)

		// Visit may change the store, and end the context.
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		visits = 0
		err := b.Walk(ctx, func(key string, _ backends.Stamp) bool {
			assert.NoError(t, b.Delete(ctx, key))
			visits++
			if visits == 10 {
				cancel(reason)
			}
			return true
		})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, reason)
		require.Equal(t, 10, visits)
		require.ErrorIs(t, b.Walk(ctx, func(string, backends.Stamp) bool { return true }), reason)
	})
}

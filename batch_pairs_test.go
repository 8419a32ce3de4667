package tiercache_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// L1 ends the goroutine of the caller between two keys: the loads of the keys before go on,
// and nobody waits for them for ever.
func TestGetOrLoadMany_L1EndsTheCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		n.l1.Next(tier.Get, func(ctx context.Context, next func(context.Context) error) error { return next(ctx) })
		n.l1.Next(tier.Get, func(context.Context, func(context.Context) error) error {
			runtime.Goexit()
			return nil
		})
		var calls atomic.Int32
		got := apart(t, func() error {
			_, err := n.GetOrLoadMany(t.Context(), keysOf(3), 0, loadAll(&calls, "a"))
			return err
		})
		require.True(t, got.exited)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		value, err := n.GetOrLoad(ctx, "k0", 0, func(context.Context, string) (string, error) { return "b", nil })
		require.NoError(t, err)
		assert.Equal(t, "k0a", value)
	})
}

// A loader that ends its goroutine fails each key as it would have failed a single load.
func TestGetOrLoadMany_LoaderExits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		_, err := n.GetOrLoadMany(t.Context(), keysOf(2), 0, func(context.Context, []string) (map[string]string, error) {
			runtime.Goexit()
			return nil, nil
		})
		var batch *tiercache.BatchError
		require.ErrorAs(t, err, &batch)
		for i := range keysOf(2) {
			var load *tiercache.LoadError
			require.ErrorAs(t, batch.Of(i), &load)
		}
	})
}

// A batch loader within a loader has no TTL to set, and not that of the outer one either.
func TestGetOrLoadMany_SetTTLInALoader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		_, err := n.GetOrLoad(t.Context(), "outer", time.Hour, func(ctx context.Context, _ string) (string, error) {
			_, err := n.GetOrLoadMany(ctx, []string{"k0"}, 0, func(ctx context.Context, _ []string) (map[string]string, error) {
				require.ErrorIs(t, tiercache.SetTTL(ctx, time.Second), tiercache.ErrInvalid)
				return map[string]string{"k0": "inner"}, nil
			})
			return "v", err
		})
		require.NoError(t, err)
		assert.Equal(t, time.Now().Add(time.Hour).Unix(), n.map1.Snapshot()["outer"].ExpiresAt.Unix())
	})
}

// A value that L1 alone keeps is refreshed ahead of the end of that, not of its TTL, and is
// counted as a kept one.
func TestGetOrLoadMany_KeptAndRefreshAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := tiercachetest.NewRecorder()
		f := newFixture(t, append(r.Options(),
			tiercache.WithKeepLoaded(10*time.Second), tiercache.WithRefreshAhead(0.2),
			tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))...)
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		var calls atomic.Int32
		get := func() {
			got, err := f.GetOrLoadMany(t.Context(), []string{"k"}, time.Hour, loadAll(&calls, "a"))
			require.NoError(t, err)
			require.True(t, got[0].OK)
			synctest.Wait()
		}
		get()
		get()
		assert.EqualValues(t, 1, calls.Load(), "the value is fresh")
		time.Sleep(9 * time.Second)
		get()
		assert.EqualValues(t, 2, calls.Load(), "it is about to end")
		_, err := f.GetMany(t.Context(), []string{"k"})
		require.NoError(t, err)
		require.NoError(t, f.Close(t.Context()))
		metrics, err := r.Metrics(t.Context())
		require.NoError(t, err)
		assert.Regexp(t, `value=3 .*read.result=kept`, strings.Join(metrics, "\n"))
	})
}

// A store that returns at the end of its time without results has not said that it has
// made the writes, or that it has no values.
func TestBatch_StoreReturnsWithoutResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l1 := backendtest.NewMap[string]()
		c, err := tiercache.New[string]("users", l1, lazy{backendtest.NewMap[string]()},
			tiercache.WithTelemetry(tracing.Disabled()), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
		require.NoError(t, err)
		var failed *tiercache.BatchError
		require.ErrorAs(t, c.SetMany(t.Context(), valued(keysOf(2), "a"), 0), &failed)
		require.ErrorIs(t, failed.Of(1), context.DeadlineExceeded)
		var write *tier.WriteError
		require.ErrorAs(t, failed.Of(1), &write)
		assert.Equal(t, tier.Unknown, write.L2.Outcome)
		_, err = c.GetMany(t.Context(), keysOf(2))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, c.Close(t.Context()))
	})
}

// lazy is a batcher that answers nothing.
type lazy struct{ *backendtest.Map[string] }

func (lazy) Describe() backends.Description {
	return backends.Description{System: "fake", Abilities: backends.Abilities{Batches: true}}
}
func (lazy) GetMany(ctx context.Context, _ []string, _ []backends.Got[string]) { <-ctx.Done() }
func (lazy) WriteMany(ctx context.Context, _ []backends.Write[string], _ []backends.Done) {
	<-ctx.Done()
}

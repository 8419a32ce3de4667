package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

// row is a value with the version that its database gave to it.
type row struct {
	Name    string
	Version uint64
}

// sourceFixture are two processes over one Redis.
type sourceFixture struct {
	here, there *tiercache.Cache[row]
	server      *server.Redis
}

func newSourceFixture(t *testing.T) *sourceFixture {
	t.Helper()
	f := &sourceFixture{server: startRedis(t)}
	process := func() *tiercache.Cache[row] {
		o := clientOptions(f.server.Addr)
		o.ReadTimeout, o.WriteTimeout, o.DialTimeout = soon, soon, soon
		client := redis.NewClient(o)
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		return newLoggedCache(t, client, backends.JSON[row](), tiercache.WithReadTimeout(patience),
			tiercache.WithSourceVersion(func(r row) uint64 { return r.Version }))
	}
	f.here, f.there = process(), process()
	return f
}

// requireRow checks what readers get who ask L2, and then those who ask L1 first. The
// zero row stands for nothing.
func (f *sourceFixture) requireRow(t *testing.T, want row) {
	t.Helper()
	for _, opts := range [][]tiercache.ReadOption{{tiercache.SkipL1()}, nil} {
		for name, process := range map[string]*tiercache.Cache[row]{"here": f.here, "there": f.there} {
			got, _, err := process.Get(t.Context(), key, opts...)
			require.NoError(t, err)
			require.Equal(t, want, got, "%s", name)
		}
	}
}

var older, newer = row{oldValue, 1}, row{newValue, 2}

func TestSourceVersion_OlderSetAfterNewer(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	require.NoError(t, f.here.Set(t.Context(), key, newer, 0))
	require.NoError(t, f.there.Set(t.Context(), key, older, 0), "it is no failure")
	require.NoError(t, f.here.Set(t.Context(), key, older, 0))
	f.requireRow(t, newer)
	same := row{"other", 2}
	require.NoError(t, f.there.Set(t.Context(), key, same, 0))
	got, _, err := f.there.Get(t.Context(), key, tiercache.SkipL1())
	require.NoError(t, err)
	assert.Equal(t, same, got, "an equal version is accepted")
}

// A load has read the database before a Set that overtakes it, in another process or in
// the same one.
func TestSourceVersion_LoadAgainstSet(t *testing.T) {
	t.Parallel()
	for name, process := range map[string]func(f *sourceFixture) *tiercache.Cache[row]{
		"another process": func(f *sourceFixture) *tiercache.Cache[row] { return f.there },
		"the same one":    func(f *sourceFixture) *tiercache.Cache[row] { return f.here },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newSourceFixture(t)
			_, err := f.here.GetOrLoad(t.Context(), key, time.Hour, func(ctx context.Context, key string) (row, error) {
				return older, process(f).Set(ctx, key, newer, time.Hour)
			})
			require.NoError(t, err)
			f.requireRow(t, newer)
		})
	}
}

func TestSourceVersion_DeleteAgainstOlderSet(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	require.NoError(t, f.here.Set(t.Context(), key, older, time.Hour))
	require.NoError(t, f.there.DeleteVersion(t.Context(), key, 2))
	require.NoError(t, f.here.Set(t.Context(), key, older, time.Hour))
	f.requireRow(t, row{})

	reborn := row{"reborn", 3}
	require.NoError(t, f.here.Set(t.Context(), key, reborn, time.Hour))
	require.NoError(t, f.there.DeleteVersion(t.Context(), key, 2), "an older deletion is no failure")
	f.requireRow(t, reborn)
}

// A load has read the database before a deletion in another process.
func TestSourceVersion_DeleteAgainstLoad(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	_, err := f.here.GetOrLoad(t.Context(), key, time.Hour, func(ctx context.Context, key string) (row, error) {
		return older, f.there.DeleteVersion(ctx, key, 2)
	})
	require.NoError(t, err)
	f.requireRow(t, row{})
}

func TestSourceVersion_Update(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	require.NoError(t, f.there.Set(t.Context(), key, newer, 0))
	got, err := f.here.Update(t.Context(), key, 0, func(old row, _ bool) (row, error) {
		return row{old.Name + "er", old.Version + 1}, nil
	})
	require.NoError(t, err)
	require.NoError(t, f.there.Set(t.Context(), key, newer, 0))
	f.requireRow(t, got)
}

// Redis hangs while the newer value is written: nobody knows whether it has it. When it
// goes on, the older one that comes late stays out if Redis has the newer one, and the
// newer one wins in any case when it is written again.
func TestSourceVersion_L2DownInBetween(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	require.NoError(t, f.here.Set(t.Context(), key, older, 0))
	require.NoError(t, f.there.Set(t.Context(), key, older, 0))
	require.NoError(t, f.server.Pause())
	err := f.here.Set(t.Context(), key, newer, 0)
	require.NoError(t, f.server.Continue())
	var failed *tier.WriteError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, tier.Unknown, failed.L2.Outcome)

	eventually(t, "Redis applies what it was sent", func(ctx context.Context) error {
		return f.there.Set(ctx, key, older, 0)
	})
	require.NoError(t, f.here.Set(t.Context(), key, newer, 0))
	require.NoError(t, f.there.Set(t.Context(), key, older, 0))
	f.requireRow(t, newer)
}

// Redis is killed and loses all it has. A process whose L1 has the newer value keeps the
// older one out, and the other one, which knows of nothing newer, is told when it is.
func TestSourceVersion_L2Forgets(t *testing.T) {
	t.Parallel()
	f := newSourceFixture(t)
	require.NoError(t, f.here.Set(t.Context(), key, newer, 0))
	require.NoError(t, f.server.RestartEmpty(t.Context()))
	eventually(t, "Redis is back", func(ctx context.Context) error {
		_, _, err := f.here.Get(ctx, "another key")
		return err
	})
	require.NoError(t, f.here.Set(t.Context(), key, older, 0))
	_, ok, err := f.there.Get(t.Context(), key)
	require.NoError(t, err)
	assert.False(t, ok, "L2 gets no older value from a process that has a newer one")

	eventually(t, "the other process writes", func(ctx context.Context) error { return f.there.Set(ctx, key, older, 0) })
	require.NoError(t, f.here.Set(t.Context(), key, newer, 0))
	f.requireRow(t, newer)
}

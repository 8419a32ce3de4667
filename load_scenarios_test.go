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
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

func loads(value string, err error) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return value, err }
}

func getOrLoad(t *testing.T, ctx context.Context, f *readFixture, load func(context.Context, string) (string, error)) string {
	t.Helper()
	value, err := f.GetOrLoad(ctx, secretKey, time.Hour, load)
	return fmt.Sprintf("%q %v", value, err)
}

//nolint:revive // the context is the caller's, and comes after t as in all helpers here
func loadScenarios() []readScenario {
	type ctx = context.Context
	return []readScenario{
		{name: "load", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{name: "load, L2 has it", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("w", nil)))
		}},
		{name: "load, to refresh", l1: "old", l2: "old", run: func(t *testing.T, ctx ctx, f *readFixture) {
			value, err := f.GetOrLoad(ctx, secretKey, time.Hour, loads("v", nil), tiercache.Refresh())
			assert.Equal(t, `"v" <nil>`, fmt.Sprintf("%q %v", value, err))
		}},
		{name: "load, although L2 cannot be read", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, backendtest.Lose(errRefused))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{name: "load, L2 refuses what was loaded", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{
			name: "load, L1 keeps what L2 refuses",
			opts: []tiercache.Option{tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)), tiercache.WithKeepLoaded(time.Minute)},
			run: func(t *testing.T, ctx ctx, f *readFixture) {
				f.L2.Next(tier.Set, backendtest.FailBefore(errRefused))
				assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
				assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
			},
		},
		{name: "load, a tier can never store what was loaded", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Stage, backendtest.Lose(&backends.EncodeError{Err: errRefused}))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{name: "load, fenced by a Set", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"old" <nil>`, getOrLoad(t, ctx, f, func(context.Context, string) (string, error) {
				assert.NoError(t, f.Set(f.otherCaller(t), secretKey, "new", time.Hour))
				return "old", nil
			}))
		}},
		{name: "load, shared", run: func(t *testing.T, ctx ctx, f *readFixture) {
			answers := make(chan string, 2)
			load := func(context.Context, string) (string, error) {
				time.Sleep(time.Second)
				return "v", nil
			}
			go func() { answers <- getOrLoad(t, ctx, f, load) }()
			synctest.Wait()
			go func() { answers <- getOrLoad(t, f.otherCaller(t), f, loads("another", nil)) }()
			assert.Equal(t, []string{`"v" <nil>`, `"v" <nil>`}, []string{<-answers, <-answers})
		}},
		{name: "load fails", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"" tiercache: load: connection lost while writing [key]`, getOrLoad(t, ctx, f, loads("", lostError{})))
		}},
		{name: "load panics", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"" tiercache: load: panic (string)`, getOrLoad(t, ctx, f, func(context.Context, string) (string, error) { panic(secretValue) }))
		}},
		{
			name: "load finds nothing, and that is remembered",
			opts: []tiercache.Option{tiercache.WithNegativeTTL(time.Minute)},
			run: func(t *testing.T, ctx ctx, f *readFixture) {
				assert.Equal(t, `"" tiercache: load: backends: not found`, getOrLoad(t, ctx, f, loads("", backends.ErrNotFound)))
				assert.Equal(t, `"" backends: not found`, getOrLoad(t, ctx, f, loads("v", nil)))
			},
		},
		{
			name: "load fails, a stale value is better than none", l1: "v",
			opts: []tiercache.Option{tiercache.WithStaleIfError(time.Hour)},
			run: func(t *testing.T, ctx ctx, f *readFixture) {
				time.Sleep(time.Hour + time.Minute) // the value expired a minute ago
				assert.Equal(t, `"" false <nil>`, get(t, ctx, f))
				assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("", errRefused)))
			},
		},
		{
			name: "refresh ahead", l1: "v", l2: "v",
			opts: []tiercache.Option{tiercache.WithRefreshAhead(0.25)},
			run: func(t *testing.T, ctx ctx, f *readFixture) {
				time.Sleep(50 * time.Minute)
				assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("w", nil)))
				synctest.Wait()
				assert.Equal(t, `"w" <nil>`, getOrLoad(t, ctx, f, loads("x", nil)))
			},
		},
		{name: "a caller leaves", run: func(t *testing.T, ctx ctx, f *readFixture) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			assert.Equal(t, `"" tiercache: get: loading: context deadline exceeded`,
				getOrLoad(t, ctx, f, func(ctx context.Context, _ string) (string, error) {
					<-ctx.Done() // nobody is left who wants the value
					return "", ctx.Err()
				}))
		}},
		{name: "closed", run: func(t *testing.T, ctx ctx, f *readFixture) {
			require.NoError(t, f.Close(ctx))
			assert.Equal(t, `"" false tiercache: the cache is closed`, get(t, ctx, f))
			assert.Equal(t, `"" tiercache: the cache is closed`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
	}
}

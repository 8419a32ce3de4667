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
	"github.com/tiercache/tiercache/readpolicy"
)

// readScenario is one read, or some that meet.
type readScenario struct {
	name   string
	opts   []tiercache.Option
	l1, l2 string // held at the beginning
	run    func(t *testing.T, ctx context.Context, f *readFixture)
}

// get reads and returns what the caller gets.
func get(t *testing.T, ctx context.Context, f *readFixture) string {
	t.Helper()
	value, ok, err := f.Get(ctx, secretKey)
	return fmt.Sprintf("%q %t %v", value, ok, err)
}

func loads(value string, err error) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return value, err }
}

func getOrLoad(t *testing.T, ctx context.Context, f *readFixture, load func(context.Context, string) (string, error)) string {
	t.Helper()
	value, err := f.GetOrLoad(ctx, secretKey, time.Hour, load)
	return fmt.Sprintf("%q %v", value, err)
}

//nolint:revive // the context is the caller's, and comes after t as in all helpers here
func readScenarios() []readScenario {
	type ctx = context.Context
	reads := func(p readpolicy.Policy) []tiercache.Option {
		return []tiercache.Option{tiercache.WithReadPolicy(p)}
	}
	says := func(want string, got func(*testing.T, ctx, *readFixture) string) func(*testing.T, ctx, *readFixture) {
		return func(t *testing.T, ctx ctx, f *readFixture) { assert.Equal(t, want, got(t, ctx, f)) }
	}
	return []readScenario{
		{name: "hit in L1", l1: "v", l2: "v", run: says(`"v" true <nil>`, get)},
		{
			name: "hit in L1, with spans", l1: "v", l2: "v",
			opts: []tiercache.Option{tiercache.WithL1HitSpans()},
			run:  says(`"v" true <nil>`, get),
		},
		{name: "hit in L2", l2: "v", run: says(`"v" true <nil>`, get)},
		{
			name: "hit in L2, no refill", l2: "v",
			opts: []tiercache.Option{tiercache.WithRefill(tiercache.RefillNever)},
			run:  says(`"v" true <nil>`, get),
		},
		{name: "hit in L2, the refill fails", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(backendtest.Set, backendtest.FailBefore(errRefused))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "hit in L2, the refill is fenced by a Set", l2: "old", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, func(_ context.Context, apply func(context.Context) error) error {
				err := apply(ctx) // it has read the old value when the new one comes
				assert.NoError(t, f.Set(f.otherCaller(t), secretKey, "new", time.Hour))
				return err
			})
			assert.Equal(t, `"new" true <nil>`, get(t, ctx, f)) // which L1 has by now
		}},
		{name: "hit in L2, the refill is fenced by a Delete", l2: "old", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, func(_ context.Context, apply func(context.Context) error) error {
				err := apply(ctx)
				assert.NoError(t, f.Delete(f.otherCaller(t), secretKey))
				return err
			})
			assert.Equal(t, `"old" true <nil>`, get(t, ctx, f))
		}},
		{name: "miss", run: says(`"" false <nil>`, get)},
		{name: "L1 fails, L2 has it", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "L2 fails", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"" false tiercache: get: l2 get failed: connection lost while writing [key]`, get(t, ctx, f))
		}},
		{name: "both fail", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(backendtest.Get, backendtest.Lose(errRefused))
			f.L2.Next(backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, "\"\" false tiercache: get: l1 get failed: refused\nl2 get failed: connection lost while writing [key]", get(t, ctx, f))
		}},
		{name: "race, L1 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "race, L2 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "race, the loser is cancelled", l1: "v", l2: "v", opts: reads(readpolicy.Race(readpolicy.CancelLoser())), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, backendtest.Hang())
			f.L1.Next(backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "parallel, L2 is fresher", l1: "short", l2: "long", opts: reads(readpolicy.Parallel()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			soon := backends.Entry[string]{Value: "short", ExpiresAt: time.Now().Add(time.Minute)}
			require.NoError(t, f.Map1.Set(ctx, secretKey, soon))
			f.L2.Next(backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"long" true <nil>`, get(t, ctx, f))
		}},
		{name: "load", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{name: "load, L2 has it", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("w", nil)))
		}},
		{name: "load, although L2 cannot be read", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Get, backendtest.Lose(errRefused))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, f, loads("v", nil)))
		}},
		{name: "load, L2 refuses what was loaded", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(backendtest.Set, backendtest.FailBefore(errRefused))
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
			assert.Equal(t, `"" tiercache: get: waiting for the loader: context deadline exceeded`,
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

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
	"github.com/tiercache/tiercache/tier"
)

// readScenario is one read, or some that meet.
type readScenario struct {
	name   string
	opts   []tiercache.Option
	l1, l2 string // held at the beginning
	run    func(t *testing.T, ctx context.Context, f *readFixture)
}

func readScenarios() []readScenario { return append(getScenarios(), loadScenarios()...) }

// get reads and returns the caller's result.
func get(t *testing.T, ctx context.Context, f *readFixture) string {
	t.Helper()
	value, ok, err := f.Get(ctx, secretKey)
	return fmt.Sprintf("%q %t %v", value, ok, err)
}

//nolint:revive // the context is the caller's, and comes after t as in all helpers here
func getScenarios() []readScenario {
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
			f.L1.Next(tier.Set, backendtest.FailBefore(errRefused))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "hit in L2, the refill is fenced by a Set", l2: "old", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, func(_ context.Context, apply func(context.Context) error) error {
				err := apply(ctx) // it has read the old value when the new one comes
				assert.NoError(t, f.Set(f.otherCaller(t), secretKey, "new", time.Hour))
				return err
			})
			assert.Equal(t, `"new" true <nil>`, get(t, ctx, f)) // which L1 has by now
		}},
		{name: "hit in L2, the refill is fenced by a Delete", l2: "old", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, func(_ context.Context, apply func(context.Context) error) error {
				err := apply(ctx)
				assert.NoError(t, f.Delete(f.otherCaller(t), secretKey))
				return err
			})
			assert.Equal(t, `"old" true <nil>`, get(t, ctx, f))
		}},
		{name: "hit in L2, shared", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, backendtest.Delay(time.Second))
			answers := make(chan string, 2)
			go func() { answers <- get(t, ctx, f) }()
			synctest.Wait()
			go func() { answers <- get(t, f.otherCaller(t), f) }()
			assert.Equal(t, []string{`"v" true <nil>`, `"v" true <nil>`}, []string{<-answers, <-answers})
		}},
		{name: "L1 is skipped", l1: "one", l2: "two", run: func(t *testing.T, ctx ctx, f *readFixture) {
			value, ok, err := f.Get(ctx, secretKey, tiercache.SkipL1())
			assert.Equal(t, `"two" true <nil>`, fmt.Sprintf("%q %t %v", value, ok, err))
		}},
		{name: "L2 is skipped", l2: "two", run: func(t *testing.T, ctx ctx, f *readFixture) {
			value, ok, err := f.Get(ctx, secretKey, tiercache.SkipL2())
			assert.Equal(t, `"" false <nil>`, fmt.Sprintf("%q %t %v", value, ok, err))
		}},
		{name: "miss", run: says(`"" false <nil>`, get)},
		{name: "L1 fails, L2 has it", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(tier.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "L2 fails", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"" false tiercache: get: l2 get failed: connection lost while writing [key]`, get(t, ctx, f))
		}},
		{name: "both fail", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(tier.Get, backendtest.Lose(errRefused))
			f.L2.Next(tier.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, "\"\" false tiercache: get: l1 get failed: refused; l2 get failed: connection lost while writing [key]", get(t, ctx, f))
		}},
		{name: "race, L1 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "race, L2 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L1.Next(tier.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "race, the loser is cancelled", l1: "v", l2: "v", opts: reads(readpolicy.Race(readpolicy.CancelLoser())), run: func(t *testing.T, ctx ctx, f *readFixture) {
			f.L2.Next(tier.Get, backendtest.Hang())
			f.L1.Next(tier.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, f))
		}},
		{name: "parallel, L2 is fresher", l1: "short", l2: "long", opts: reads(readpolicy.Parallel()), run: func(t *testing.T, ctx ctx, f *readFixture) {
			soon := backends.Entry[string]{Value: "short", ExpiresAt: time.Now().Add(time.Minute)}
			require.NoError(t, f.Map1.Set(ctx, secretKey, soon))
			f.L2.Next(tier.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"long" true <nil>`, get(t, ctx, f))
		}},
	}
}

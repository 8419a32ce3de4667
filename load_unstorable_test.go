package tiercache_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A loaded value that a tier can never store is told on the span, in a metric, and once
// in the logs. One that could be stored another time is not.
func TestUnstorableValueIsTold(t *testing.T) {
	t.Parallel()
	const metric = "tiercache.unstorable_values {value} value=2 tiercache.cache.name=users"
	for name, test := range map[string]struct {
		call  tier.Kind
		fault backendtest.Fault
		told  bool
	}{
		"not encoded":         {tier.Stage, backendtest.Lose(&backends.EncodeError{Err: errRefused}), true},
		"not staged":          {tier.Stage, backendtest.Lose(errRefused), true},
		"the codec panics":    {tier.Stage, backendtest.Panic(secretValue), true},
		"too large":           {tier.Set, backendtest.FailBefore(&backends.TooLargeError{What: "value", Size: 2, Max: 1}), true},
		"refused":             {tier.Set, backendtest.FailBefore(errRefused), false},
		"a deadline":          {tier.Stage, backendtest.Lose(context.DeadlineExceeded), false},
		"a lost write":        {tier.Set, backendtest.ApplyThenFail(lostError{}), false},
		"nothing, it is fine": {tier.Set, nil, false},
	} {
		for policyName, p := range map[string]writepolicy.Policy{
			"sequential": writepolicy.Sequential(), "l2 first": writepolicy.Sequential(writepolicy.L2First),
			"write around": writepolicy.WriteAround(), "parallel": writepolicy.Parallel(),
		} {
			t.Run(name+"/"+policyName, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c := newRecorder()
					f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
					f.L2.Always(test.call, test.fault)
					for range 2 {
						require.NoError(t, f.Map1.Delete(t.Context(), secretKey))
						require.NoError(t, f.Map2.Delete(t.Context(), secretKey))
						value, err := f.GetOrLoad(t.Context(), secretKey, time.Hour, loads(secretValue, nil))
						require.NoError(t, err)
						assert.Equal(t, secretValue, value)
					}
					require.NoError(t, f.Close(t.Context()))
					records, lines := 0, strings.Count(c.slog.String(), tracing.EventUnstorableValue)
					for _, r := range c.Records() {
						if r.EventName() == tracing.EventUnstorableValue {
							records++
							assert.Equal(t, "WARN", r.SeverityText())
						}
					}
					if test.told {
						assert.Equal(t, 2, strings.Count(c.Tree(), "tiercache.refill.outcome=unstorable"))
						assert.Contains(t, c.metrics(t), metric)
						assert.Equal(t, [2]int{1, 1}, [2]int{records, lines}, "log records, and lines of slog")
					} else {
						assert.NotContains(t, c.Tree(), "unstorable")
						assert.NotContains(t, c.metrics(t), metric)
						assert.Equal(t, [2]int{}, [2]int{records, lines}, "log records, and lines of slog")
					}
					assert.NotContains(t, c.dump(t), secretKey)
					assert.NotContains(t, c.dump(t), secretValue)
				})
			})
		}
	}
}

// A refresh whose value cannot be stored is not repeated at every hit.
func TestRefreshOfUnstorableValueBacksOff(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		call tier.Kind
		backendtest.Fault
	}{
		"not encoded": {tier.Stage, backendtest.Lose(errRefused)},
		"refused":     {tier.Set, backendtest.FailBefore(errRefused)},
	} {
		for _, async := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					opts := []tiercache.Option{tiercache.WithRefreshAhead(0.5), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))}
					if async {
						opts = append(opts, tiercache.WithAsyncLoadWrites())
					}
					f := newFixture(t, opts...)
					require.NoError(t, f.Set(t.Context(), "k", "v", time.Minute))
					f.L2.Always(fault.call, fault.Fault)
					time.Sleep(40 * time.Second)
					runs := 0
					for range 10 {
						_, err := f.GetOrLoad(t.Context(), "k", time.Minute, func(context.Context, string) (string, error) {
							runs++
							return "w", nil
						})
						require.NoError(t, err)
						synctest.Wait()
					}
					assert.Equal(t, 1, runs)
					require.NoError(t, f.Close(t.Context()))
				})
			})
		}
	}
}

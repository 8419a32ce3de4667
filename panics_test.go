package tiercache_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A panic of a backend is that tier's error. Whether the write was applied is
// not known, and the stack is on the tier's span.
func TestBackendPanic_IsTheErrorOfItsTier(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]backendtest.Fault{
		"before":                  backendtest.Panic(secretValue),
		"after":                   backendtest.ApplyThenPanic(secretValue),
		"with a certain error":    backendtest.Panic(backends.NotApplied(errRefused)),
		"with a run-time error":   func(context.Context, func(context.Context) error) error { panic(*(*error)(nil)) },
		"in the second goroutine": backendtest.Chain(backendtest.Delay(time.Second), backendtest.Panic(errRefused)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				c := newRecorder()
				f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
				f.L2.Next(tier.Set, fault)
				f.L2.Next(tier.Delete, fault)
				_ = f.Set(t.Context(), secretKey, secretValue, 0)
				require.Error(t, f.Delete(t.Context(), secretKey))
				require.NoError(t, f.Close(t.Context()))
				require.Len(t, c.Inconsistencies(), 2)
				for _, i := range c.Inconsistencies() {
					assert.Equal(t, tier.Unknown, i.L2.Outcome)
					var p *backends.PanicError
					assert.ErrorAs(t, i.L2.Err, &p)
				}
				stacks := 0
				for _, s := range c.Spans() {
					for _, a := range s.Attributes() {
						if a.Key == "exception.stacktrace" {
							stacks++
							assert.True(t, strings.HasSuffix(s.Name(), " l2"))
							assert.Contains(t, a.Value.AsString(), "backendtest")
						}
					}
				}
				assert.Equal(t, 2, stacks)
				assert.NotContains(t, c.dump(t), secretValue)
			})
		})
	}
}

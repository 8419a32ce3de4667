package tiercache_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// OpenTelemetry's error handler is told of panics that nobody waits for. It is somebody
// else's code too. Not parallel: there is one handler for all.
func TestStrangers_ErrorHandler(t *testing.T) {
	var current *scenario
	var told atomic.Int32
	conduct := map[string]func(){
		"panics":         func() { panic("at " + secretKey) },
		"ends goroutine": runtime.Goexit,
		"calls the cache": func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second) //nolint:usetesting // that of t is of no bubble
			defer cancel()
			if current.entering.CompareAndSwap(false, true) { // or it would cause panics without end
				defer current.entering.Store(false)
			}
			_ = current.Set(ctx, otherKey, "inner", 0)
		},
	}
	cases := slices.DeleteFunc(strangerCases(), func(c strangerCase) bool {
		return c.misconduct.name != "panic with string" ||
			!c.actor.telemetry && !slices.Contains([]string{"hook", "classifier", "done callback"}, c.actor.place)
	})
	require.Greater(t, len(cases), 10)
	// The handler of before cannot be put back: it hands on to the one that was set first.
	defer otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	for name, misbehave := range conduct {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
			told.Add(1)
			assert.NotContains(t, err.Error(), secretKey)
			misbehave()
		}))
		for _, c := range cases {
			t.Run(name+"/"+c.name(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					current = newScenario(t, c)
					if name == "ends goroutine" {
						current.misconduct.kind = exits
					}
					told.Store(0)
					runStranger(t, current)
					assert.NotZero(t, told.Load())
				})
			})
		}
	}
}

// What panics while the cache is made is the error of New.
func TestStrangers_New(t *testing.T) {
	t.Parallel()
	m, other := backendtest.NewMap[string](), backendtest.NewMap[string]()
	for name, test := range map[string]struct {
		l1, l2 backends.Backend[string]
		opt    tiercache.Option
	}{
		"Describe of l1":      {l1: describes{m}, l2: other},
		"Describe of l2":      {l1: other, l2: describes{m}},
		"Name of a policy":    {l1: m, l2: other, opt: tiercache.WithWritePolicy(named{})},
		"Validate":            {l1: m, l2: other, opt: tiercache.WithWritePolicy(validates{})},
		"a provider of spans": {l1: m, l2: other, opt: tiercache.WithTelemetry(tracing.WithTracerProvider(noProvider{}))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tiercache.New("users", test.l1, test.l2, tiercache.WithTelemetry(tracing.Disabled()), test.opt)
			var p *backends.PanicError
			require.ErrorAs(t, err, &p)
			assert.Contains(t, err.Error(), "tiercache: ")
			assert.Contains(t, err.Error(), "panicked")
		})
	}
}

var errDescribe = errors.New("describe")

type describes struct{ *backendtest.Map[string] }

func (describes) Describe() backends.Description { panic(errDescribe) }

type named struct{ writepolicy.Policy }

func (named) Name() string { panic("name") }

type validates struct{ writepolicy.Policy }

func (validates) Validate() error { panic("validate") }

// noProvider has none of the methods of a provider.
type noProvider struct{ trace.TracerProvider }

package tiercache_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// directFault is the fate of a Set in one tier.
type directFault struct {
	name  string
	fault backendtest.Fault
}

func directFaults() []directFault {
	return []directFault{
		{"returns nil", func(ctx context.Context, apply func(context.Context) error) error { return apply(ctx) }},
		{"is refused", backendtest.FailBefore(errRefused)},
		{"is lost", backendtest.Lose(lostError{})},
		{"applies and fails", backendtest.ApplyThenFail(lostError{})},
		{"panics", backendtest.Panic("at " + secretKey)},
		{"panics with nil", backendtest.Panic(nil)},
		{"applies and panics", backendtest.ApplyThenPanic(lostError{})},
		{"ends its goroutine", func(context.Context, func(context.Context) error) error {
			runtime.Goexit()
			return nil
		}},
		{"applies and ends its goroutine", func(ctx context.Context, apply func(context.Context) error) error {
			defer runtime.Goexit()
			return apply(ctx)
		}},
	}
}

// directTier is a tier in the process, and nothing else: it stages nothing.
type directTier struct {
	*backendtest.Map[string]
	fault, drop backendtest.Fault // of Set and Delete; nil: none

	mu    sync.Mutex
	calls []string // "set" or "delete", and the way of a Set
}

func (d *directTier) Set(ctx context.Context, key string, entry backends.Entry[string]) error {
	call := "set"
	if pc, _, _, ok := runtime.Caller(1); ok && strings.HasSuffix(runtime.FuncForPC(pc).Name(), ".setDirect") {
		call += ", directly"
	}
	d.note(call)
	apply := func(ctx context.Context) error { return d.Map.Set(ctx, key, entry) }
	if d.fault == nil {
		return apply(ctx)
	}
	return d.fault(ctx, apply)
}

func (d *directTier) Delete(ctx context.Context, key string) error {
	d.note("delete")
	apply := func(ctx context.Context) error { return d.Map.Delete(ctx, key) }
	if d.drop == nil {
		return apply(ctx)
	}
	return d.drop(ctx, apply)
}

func (d *directTier) note(call string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, call)
}

// directRun is one Set, and what can be seen of it.
type directRun struct {
	policy  writepolicy.Policy
	ctx     context.Context //nolint:containedctx // it is the fixture's
	l1, l2  directFault
	drop    directFault // of the compensation in L1
	classes int         // calls of the classifier
}

// report returns all that can be seen of the Set: its end, the calls of the tiers, what
// they hold, the event, and whether the key can be written afterwards.
func (r directRun) report(t *testing.T) (seen []string) {
	t.Helper()
	l1, l2 := &directTier{Map: backendtest.NewMap[string]()}, &directTier{Map: backendtest.NewMap[string]()}
	seeFunc := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	cache, err := tiercache.New[string]("users", l1, l2,
		tiercache.WithTelemetry(tracing.Disabled()),
		tiercache.WithWritePolicy(r.policy),
		tiercache.WithClassifier(func(err error) bool {
			r.classes++
			return backends.CertainlyNotApplied(err)
		}),
		tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			seeFunc("event %s %s %s %s %s %+v", i.Cache, i.Policy, i.Kind, resultText(i.L1), resultText(i.L2), i.Verdict)
		}))
	require.NoError(t, err)
	require.NoError(t, cache.Set(t.Context(), secretKey, before, 0)) // so that the write below is a recycled one
	l1.fault, l2.fault, l1.drop = r.l1.fault, r.l2.fault, r.drop.fault
	l1.calls, l2.calls = nil, nil

	end := apart(t, func() error { return cache.Set(r.ctx, secretKey, "value", time.Hour) })
	require.Nil(t, end.panicked)
	seeFunc("exited=%t error=%v", end.exited, end.err)
	if end.err != nil {
		e := asError(t, end.err)
		seeFunc("%s %s %s %s %+v %v", e.Kind, e.Policy, resultText(e.L1), resultText(e.L2), e.Verdict, e.Cause)
	}
	seeFunc("calls l1=%q l2=%q, classifier=%d", l1.calls, l2.calls, r.classes)
	for _, d := range []*directTier{l1, l2} {
		entry := d.Snapshot()[secretKey]
		seeFunc("%q expires=%t", entry.Value, entry.ExpiresAt.After(time.Now().Add(time.Hour-time.Minute)))
	}

	l1.fault, l2.fault = nil, nil
	// An entry is always written on the ordinary way, and in a write that is recycled.
	require.NoError(t, cache.AsBackend().Set(t.Context(), secretKey, backends.Entry[string]{Value: after}))
	seeFunc("then l1=%v l2=%v", l1.Snapshot()[secretKey], l2.Snapshot()[secretKey])
	require.NoError(t, cache.Close(t.Context()))
	return seen
}

func resultText(r tier.Result) string {
	return fmt.Sprintf("%s %v %s %v", r.Outcome, r.Err, r.Compensation, r.CompensationErr)
}

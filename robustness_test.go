package tiercache_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// A value that cannot be encoded, and a backend that refuses to stage it in
// whatever way, touch no tier.
func TestStagingFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]backendtest.Fault{
		"error": backendtest.Lose(errRefused),
		"panic": backendtest.Panic(secretValue),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				c := newRecorder()
				f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(p))...)
				require.NoError(t, f.Set(t.Context(), "k", "old", 0))
				synctest.Wait() // a policy may answer before it has written both tiers
				writes := writeCalls(f.L1) + writeCalls(f.L2)
				l1, l2 := f.Holds("k")
				f.L2.Next(backendtest.Stage, fault)
				err := f.Set(t.Context(), "k", secretValue, 0)
				require.ErrorContains(t, err, "l2 stage failed")
				require.ErrorContains(t, err, "neither tier was changed")
				assert.NotContains(t, err.Error(), secretValue)
				assert.Equal(t, writes, writeCalls(f.L1)+writeCalls(f.L2))
				assertHolds(t, f, l1, l2)
				require.NoError(t, f.Close(t.Context()))
				assert.Empty(t, c.Inconsistencies())
				assert.Empty(t, c.Records())
				assert.NotContains(t, c.dump(t), secretValue)
			})
		})
	}
}

func TestEncodeErrorTouchesNoTier(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	store := backendtest.NewMap[[]byte]()
	l1 := backendtest.NewMap[any]()
	l2, err := backends.WithCodec(store, backends.JSON[any]())
	require.NoError(t, err)
	cache, err := tiercache.New("users", l1, l2, c.options()...)
	require.NoError(t, err)

	err = cache.Set(t.Context(), "k", make(chan int), 0)
	var encode *backends.EncodeError
	require.ErrorAs(t, err, &encode)
	assert.Empty(t, l1.Snapshot())
	assert.Empty(t, store.Snapshot())
	assert.Empty(t, c.Inconsistencies())
	require.NoError(t, cache.Close(t.Context()))
	assert.Equal(t, `set users (internal) Error error.type=encode tiercache.cache.name=users tiercache.consistent=true `+
		`tiercache.l1.outcome=skipped tiercache.l2.outcome=skipped tiercache.operation.name=set tiercache.policy.name=sequential`+"\n"+
		`  "tiercache: set (sequential): l2 stage failed: backends: the value cannot be encoded (*json.UnsupportedTypeError); `+
		`l1 skipped; l2 skipped; neither tier was changed"`+"\n", c.Tree())
}

// A panic of a backend is that tier's error. Whether the write was applied is
// not known, and the stack is on the tier's span.
func TestBackendPanics(t *testing.T) {
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
				f.L2.Next(backendtest.Set, fault)
				f.L2.Next(backendtest.Delete, fault)
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

func TestGet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		l1, l2         string // what they hold
		fault1, fault2 backendtest.Fault
		want           string
		err            []string
	}{
		{name: "a hit in L1", l1: "one", l2: "two", want: "one"},
		{name: "a hit in L2", l2: "two", want: "two"},
		{name: "a miss"},
		{name: "an error of L1 does not hide L2", l1: "one", l2: "two", fault1: backendtest.Lose(lostError{}), want: "two"},
		{name: "a panic of L1 does not hide L2", l2: "two", fault1: backendtest.Panic("!"), want: "two"},
		{name: "an error of L1 and a miss", fault1: backendtest.Lose(lostError{}), err: []string{"l1 get failed: connection lost while writing [key]"}},
		{name: "a miss and an error of L2", fault2: backendtest.Lose(errRefused), err: []string{"l2 get failed: refused"}},
		{
			name: "two errors", fault1: backendtest.Lose(errRefused), fault2: backendtest.Panic("!"),
			err: []string{"l1 get failed: refused", "l2 get failed: panic (string)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			for m, v := range map[*backendtest.Map[string]]string{f.Map1: test.l1, f.Map2: test.l2} {
				if v != "" {
					require.NoError(t, m.Set(t.Context(), secretKey, backends.Entry[string]{Value: v}))
				}
			}
			f.L1.Next(backendtest.Get, test.fault1)
			f.L2.Next(backendtest.Get, test.fault2)
			got, ok, err := f.Get(t.Context(), secretKey)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want != "", ok)
			if len(test.err) == 0 {
				require.NoError(t, err)
				return
			}
			for _, text := range test.err {
				require.ErrorContains(t, err, text)
			}
			assert.NotContains(t, err.Error(), secretKey)
		})
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[int]()
	for name, test := range map[string]struct {
		name string
		l1   backends.Backend[int]
		l2   backends.Backend[int]
		opt  tiercache.Option
		want string
	}{
		"no name":          {"", m, m, nil, "name is empty"},
		"no L1":            {"c", nil, m, nil, "l1 is nil"},
		"no L2":            {"c", m, nil, nil, "l2 is nil"},
		"no timeout":       {"c", m, m, tiercache.WithWriteTimeout(0), "write timeout is 0s"},
		"negative timeout": {"c", m, m, tiercache.WithWriteTimeout(-1), "write timeout is -1ns"},
		"bad policy":       {"c", m, m, tiercache.WithWritePolicy(writepolicy.Race(writepolicy.MaxDetached(-1))), "MaxDetached(-1)"},
		"bad L1 TTL":       {"c", m, m, tiercache.WithL1TTL(-1, 0), "WithL1TTL(-1ns)"},
		"bad jitter":       {"c", m, m, tiercache.WithL1TTL(1, 1), "jitter is 1"},
		"no jitter":        {"c", m, m, tiercache.WithL1TTL(1, math.NaN()), "jitter is NaN"},
		"bad negative TTL": {"c", m, m, tiercache.WithNegativeTTL(-1), "WithNegativeTTL(-1ns)"},
		"bad stale limit":  {"c", m, m, tiercache.WithStaleIfError(-1), "WithStaleIfError(-1ns)"},
		"bad fraction":     {"c", m, m, tiercache.WithRefreshAhead(1.5), "WithRefreshAhead is 1.5"},
		"bad refill":       {"c", m, m, tiercache.WithRefill(7), "WithRefill(7)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tiercache.New(test.name, test.l1, test.l2, test.opt)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			require.ErrorContains(t, err, test.want)
		})
	}

	f := newFixture(t, nil, tiercache.WithWritePolicy(nil), tiercache.WithClassifier(nil), tiercache.WithInconsistencyHook(nil))
	require.ErrorIs(t, f.Set(t.Context(), "", "v", 0), tiercache.ErrInvalid)
	require.ErrorIs(t, f.Set(t.Context(), "k", "v", -1), tiercache.ErrInvalid)
	require.ErrorIs(t, f.Delete(t.Context(), ""), tiercache.ErrInvalid)
	_, _, err := f.Get(t.Context(), "")
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	load := func(context.Context, string) (string, error) { return "", nil }
	_, err = f.GetOrLoad(t.Context(), "", 0, load)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = f.GetOrLoad(t.Context(), "k", -1, load)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	_, err = f.GetOrLoad(t.Context(), "k", 0, nil)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	assert.Zero(t, writeCalls(f.L1)+writeCalls(f.L2))
}

// A policy may say what it likes; what is reported is what was seen.
func TestDishonestPolicies(t *testing.T) {
	t.Parallel()
	type target = writepolicy.Tier
	cause := errors.New("quota exceeded")
	for _, test := range []struct {
		name   string
		policy func(ctx context.Context, l1, l2 target) error
		remove bool
		fault2 backendtest.Fault
		l1, l2 tier.Outcome
		want   string // in the error; none if empty
		events int
	}{
		{
			name:   "does nothing and calls it a success",
			policy: func(context.Context, target, target) error { return nil },
			want:   "neither tier was changed",
		},
		{
			name:   "does not mention that L2 failed",
			policy: func(ctx context.Context, l1, l2 target) error { _, _ = l1.Write(ctx), l2.Write(ctx); return nil },
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
		},
		{
			name:   "leaves a copy behind and calls it deleted",
			policy: func(ctx context.Context, l1, l2 target) error { _, _ = l1.Write(ctx), l2.Write(ctx); return nil },
			remove: true,
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "l2 may still have the entry",
		},
		{
			name: "answers before a delete is done",
			policy: func(ctx context.Context, l1, l2 target) error {
				l2.Go(ctx, func(error) {})
				return l1.Write(ctx)
			},
			remove: true,
			fault2: backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)),
			l1:     tier.Applied, l2: tier.Failed, events: 1,
			want: "l2 delete failed",
		},
		{
			name:   "panics in the middle",
			policy: func(ctx context.Context, l1, _ target) error { _ = l1.Write(ctx); panic("!") },
			l1:     tier.Applied, events: 1,
			want: "the policy panicked: panic (string)",
		},
		{
			name: "has an error of its own",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), cause)
			},
			l1: tier.Applied, l2: tier.Applied,
			want: "quota exceeded; l1 applied; l2 applied; both tiers were written",
		},
		{
			name: "tries again",
			policy: func(ctx context.Context, l1, l2 target) error {
				if err := l2.Write(ctx); err != nil {
					if err := l2.Write(ctx); err != nil {
						return err
					}
				}
				return l1.Write(ctx)
			},
			fault2: backendtest.Lose(errRefused), l1: tier.Applied, l2: tier.Applied,
		},
		{
			name: "tries again and is refused",
			policy: func(ctx context.Context, _, l2 target) error {
				ended, cancel := context.WithCancel(ctx)
				cancel()
				return errors.Join(l2.Write(ctx), l2.Write(ended))
			},
			fault2: backendtest.Lose(errRefused), l2: tier.Unknown, events: 1,
			want: "l1 may be stale",
		},
		{
			name: "drops before it writes",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Compensate(ctx), l1.Write(ctx), l2.Write(ctx))
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the tiers may differ: l2 may be stale",
		},
		{
			name: "drops the only copy and calls it a success",
			policy: func(ctx context.Context, l1, l2 target) error {
				_, _, _ = l1.Write(ctx), l2.Write(ctx), l1.Compensate(ctx)
				return nil
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the copy in l1 was dropped",
		},
		{
			name: "drops what L2 has",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), l2.Compensate(ctx))
			},
			l1: tier.Applied, l2: tier.Applied, events: 1,
		},
		{
			name: "writes L1 and drops L2",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Drop(ctx))
			},
			l1: tier.Applied, l2: tier.Applied, events: 1,
		},
		{
			name:   "drops both",
			policy: func(ctx context.Context, l1, l2 target) error { return errors.Join(l1.Drop(ctx), l2.Drop(ctx)) },
			l1:     tier.Applied, l2: tier.Applied,
			want: "both tiers were written",
		},
		{
			name:   "quotes the key",
			policy: func(context.Context, target, target) error { return errors.New("no quota for " + secretKey) },
			want:   "no quota for [key]; l1 skipped",
		},
		{
			name: "writes again what it has dropped",
			policy: func(ctx context.Context, l1, l2 target) error {
				return errors.Join(l1.Write(ctx), l2.Write(ctx), l1.Compensate(ctx), l1.Write(ctx))
			},
			fault2: backendtest.FailBefore(errRefused), l1: tier.Applied, l2: tier.Failed, events: 1,
			want: "the tiers may differ: l2 may be stale",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newRecorder()
				f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.PolicyFunc(
					func(ctx context.Context, _ writepolicy.Op, l1, l2 target) error { return test.policy(ctx, l1, l2) })))...)
				var err error
				if test.remove {
					f.L2.Next(backendtest.Delete, test.fault2)
					err = f.Delete(t.Context(), secretKey)
				} else {
					f.L2.Next(backendtest.Set, test.fault2)
					err = f.Set(t.Context(), secretKey, "v", 0)
				}
				require.NoError(t, f.Close(t.Context()))
				assert.NotContains(t, c.dump(t), secretKey)
				require.Len(t, c.Inconsistencies(), test.events)
				if test.events > 0 {
					assert.Equal(t, [2]tier.Outcome{test.l1, test.l2},
						[2]tier.Outcome{c.Inconsistencies()[0].L1.Outcome, c.Inconsistencies()[0].L2.Outcome})
				}
				if test.want == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, test.want)
				e := asError(t, err)
				assert.Equal(t, [2]tier.Outcome{test.l1, test.l2}, [2]tier.Outcome{e.L1.Outcome, e.L2.Outcome})
			})
		})
	}
}

// A policy that calls a tier after its answer is refused, also when another call
// still goes on, and the outcome does not change any more.
func TestPolicyThatGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newRecorder()
		answered, late := make(chan struct{}), make(chan error, 1)
		f := newFixture(t, append(c.options(), tiercache.WithWritePolicy(writepolicy.PolicyFunc(
			func(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
				go func() {
					<-answered
					late <- l2.Write(ctx)
				}()
				return l1.Write(ctx)
			})))...)
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		close(answered)
		err := <-late
		require.ErrorContains(t, err, "l2 set skipped: the policy has returned already")
		assert.Equal(t, tier.Skipped, tier.OutcomeOf(err))
		assertHolds(t, f, "v", "")
		require.Len(t, c.Inconsistencies(), 1)
		require.NoError(t, f.Close(t.Context()))
	})
}

// The hook may write the key, also from the goroutine of a detached write.
func TestHookMayWrite(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		var f *fixture
		repairs := 0
		f = newFixture(t, tiercache.WithWritePolicy(p),
			tiercache.WithInconsistencyHook(func(ctx context.Context, i tiercache.Inconsistency) {
				repairs++
				assert.NoError(t, f.Set(ctx, i.Key, "repaired", 0))
			}))
		f.L2.Next(backendtest.Set, backendtest.Chain(backendtest.Delay(time.Second), backendtest.ApplyThenFail(errRefused)))
		_ = f.Set(t.Context(), "k", "v", 0)
		synctest.Wait()
		time.Sleep(time.Minute) // in the bubble: until the detached write is done
		require.NoError(t, f.Close(t.Context()))
		assert.Equal(t, 1, repairs)
		l1, l2 := f.Holds("k")
		assert.Equal(t, "repaired", l2)
		assert.Contains(t, []string{"", "repaired"}, l1)
	})
}

// Not parallel: the error handler is global.
func TestHookPanicIsHandled(t *testing.T) {
	var mu sync.Mutex
	var handled []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		handled = append(handled, err)
	}))
	f := newFixture(t, tiercache.WithInconsistencyHook(func(context.Context, tiercache.Inconsistency) { panic(errRefused) }))
	f.L2.Next(backendtest.Set, backendtest.FailBefore(errRefused))
	require.Error(t, f.Set(t.Context(), "k", "v", 0))
	require.NoError(t, f.Close(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, handled, 1)
	require.ErrorIs(t, handled[0], errRefused)
}

// A classifier that panics is not certain, and no key stays taken.
func TestClassifierPanics(t *testing.T) {
	t.Parallel()
	forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
		f := newFixture(t, tiercache.WithWritePolicy(p), tiercache.WithClassifier(func(error) bool { panic("!") }))
		f.L2.Next(backendtest.Delete, backendtest.FailBefore(errRefused))
		assert.Equal(t, tier.Unknown, asError(t, f.Delete(t.Context(), "k")).L2.Outcome)
		require.NoError(t, f.Set(t.Context(), "k", "v", 0))
		require.NoError(t, f.Close(t.Context()))
	})
}

// The classifier decides what an error means.
func TestClassifier(t *testing.T) {
	t.Parallel()
	for _, certain := range []bool{false, true} {
		f := newFixture(t, tiercache.WithClassifier(func(err error) bool {
			assert.ErrorIs(t, err, errRefused)
			return certain
		}))
		f.L1.Next(backendtest.Set, backendtest.Lose(errRefused))
		err := f.Set(t.Context(), "k", "v", 0)
		assert.Equal(t, !certain, errors.Is(err, tiercache.ErrInconsistent))
	}
}

func TestKeyOptIn(t *testing.T) {
	t.Parallel()
	c := newRecorder()
	f := newFixture(t, c.options(tracing.WithKey(func(key string) string { return "<" + key[:4] + ">" }))...)
	f.L2.Next(backendtest.Set, backendtest.FailBefore(errRefused))
	require.Error(t, f.Set(t.Context(), secretKey, secretValue, 0))
	for _, s := range c.Spans() {
		assert.Equal(t, s.Name() == "set users", strings.Contains(tiercachetest.Attributes(s.Attributes()), "tiercache.key=<user>"), s.Name())
	}
	assert.Contains(t, tiercachetest.RecordAttributes(c.Records()[0]), "tiercache.key=<user>")
	assert.Contains(t, c.slog.String(), "tiercache.key=<user>")
	for _, line := range c.metrics(t) {
		assert.NotContains(t, line, "tiercache.key")
	}
	assert.NotContains(t, c.dump(t), secretKey)
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signals := range []tracing.Signals{0, tracing.SpanEvents, tracing.LogRecords, tracing.SpanEvents | tracing.LogRecords} {
		c := newRecorder()
		f := newFixture(t, c.options(tracing.WithSignals(signals))...)
		f.L2.Next(backendtest.Set, backendtest.FailBefore(errRefused))
		require.Error(t, f.Set(t.Context(), "k", "v", 0))
		assert.Equal(t, signals&tracing.SpanEvents != 0, strings.Contains(c.Tree(), "! tiercache.inconsistency"))
		assert.Equal(t, signals&tracing.LogRecords != 0, len(c.Records()) == 1)
		assert.NotEmpty(t, c.slog.String())
		assert.Len(t, c.Inconsistencies(), 1)
	}
}

// A trace that is not sampled has no children, but the event is logged and
// counted, within the trace.
func TestNotSampled(t *testing.T) {
	t.Parallel()
	c := newRecorder(sdktrace.WithSampler(sdktrace.NeverSample()))
	f := newFixture(t, c.options()...)
	var got trace.TraceID
	f.L2.Next(backendtest.Set, func(ctx context.Context, _ func(context.Context) error) error {
		got = trace.SpanContextFromContext(ctx).TraceID()
		return errRefused
	})
	ctx, span := c.caller(t.Context())
	require.Error(t, f.Set(ctx, "k", "v", 0))
	assert.Empty(t, c.Spans())
	require.Len(t, c.Records(), 1)
	assert.Equal(t, span.SpanContext().TraceID(), c.Records()[0].TraceID())
	assert.Len(t, c.metrics(t), 4)
	assert.Equal(t, span.SpanContext().TraceID(), got, "what the backend traces is in the trace")
}

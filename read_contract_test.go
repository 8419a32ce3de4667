package tiercache_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
)

var update = flag.Bool("update", false, "write testdata/read_contract.txt anew")

// scene is one read, or some that meet. It begins with what the tiers hold and
// ends with what they hold.
type scene struct {
	name   string
	opts   []tiercache.Option
	l1, l2 string // held at the beginning
	run    func(t *testing.T, ctx context.Context, w *world)
}

// get reads and says what the caller gets.
func get(t *testing.T, ctx context.Context, w *world) string {
	t.Helper()
	value, ok, err := w.Get(ctx, secretKey)
	return fmt.Sprintf("%q %t %v", value, ok, err)
}

func loads(value string, err error) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return value, err }
}

func getOrLoad(t *testing.T, ctx context.Context, w *world, load func(context.Context, string) (string, error)) string {
	t.Helper()
	value, err := w.GetOrLoad(ctx, secretKey, time.Hour, load)
	return fmt.Sprintf("%q %v", value, err)
}

//nolint:revive // the context is the caller's, and comes after t as in all helpers here
func scenes() []scene {
	type ctx = context.Context
	reads := func(p readpolicy.Policy) []tiercache.Option {
		return []tiercache.Option{tiercache.WithReadPolicy(p)}
	}
	says := func(want string, got func(*testing.T, ctx, *world) string) func(*testing.T, ctx, *world) {
		return func(t *testing.T, ctx ctx, w *world) { assert.Equal(t, want, got(t, ctx, w)) }
	}
	fails := func(f *backendtest.Faults[string], call backendtest.Call, fault backendtest.Fault) {
		f.Next(call, fault)
	}
	return []scene{
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
		{name: "hit in L2, the refill fails", l2: "v", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l1, backendtest.Set, backendtest.FailBefore(errRefused))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, w))
		}},
		{name: "hit in L2, the refill is fenced by a Set", l2: "old", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, func(_ ctx2, apply func(ctx2) error) error {
				err := apply(ctx) // it has read the old value when the new one comes
				assert.NoError(t, w.Set(otherCaller(), secretKey, "new", time.Hour))
				return err
			})
			assert.Equal(t, `"new" true <nil>`, get(t, ctx, w)) // which L1 has by now
		}},
		{name: "hit in L2, the refill is fenced by a Delete", l2: "old", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, func(_ ctx2, apply func(ctx2) error) error {
				err := apply(ctx)
				assert.NoError(t, w.Delete(otherCaller(), secretKey))
				return err
			})
			assert.Equal(t, `"old" true <nil>`, get(t, ctx, w))
		}},
		{name: "miss", run: says(`"" false <nil>`, get)},
		{name: "L1 fails, L2 has it", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l1, backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, w))
		}},
		{name: "L2 fails", l2: "v", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, `"" false tiercache: get: l2 get failed: connection lost while writing [key]`, get(t, ctx, w))
		}},
		{name: "both fail", l1: "v", l2: "v", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l1, backendtest.Get, backendtest.Lose(errRefused))
			fails(w.l2, backendtest.Get, backendtest.Lose(lostError{}))
			assert.Equal(t, "\"\" false tiercache: get: l1 get failed: refused; l2 get failed: connection lost while writing [key]", get(t, ctx, w))
		}},
		{name: "race, L1 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, w))
		}},
		{name: "race, L2 is faster", l1: "v", l2: "v", opts: reads(readpolicy.Race()), run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l1, backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, w))
		}},
		{name: "race, the loser is cancelled", l1: "v", l2: "v", opts: reads(readpolicy.Race(readpolicy.CancelLoser())), run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, backendtest.Hang())
			fails(w.l1, backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"v" true <nil>`, get(t, ctx, w))
		}},
		{name: "parallel, L2 is fresher", l1: "short", l2: "long", opts: reads(readpolicy.Parallel()), run: func(t *testing.T, ctx ctx, w *world) {
			soon := backends.Entry[string]{Value: "short", ExpiresAt: time.Now().Add(time.Minute)}
			require.NoError(t, w.map1.Set(ctx, secretKey, soon))
			fails(w.l2, backendtest.Get, backendtest.Delay(time.Second))
			assert.Equal(t, `"long" true <nil>`, get(t, ctx, w))
		}},
		{name: "load", run: func(t *testing.T, ctx ctx, w *world) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("v", nil)))
		}},
		{name: "load, L2 has it", l2: "v", run: func(t *testing.T, ctx ctx, w *world) {
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("w", nil)))
		}},
		{name: "load, although L2 cannot be read", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Get, backendtest.Lose(errRefused))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("v", nil)))
		}},
		{name: "load, L2 refuses what was loaded", run: func(t *testing.T, ctx ctx, w *world) {
			fails(w.l2, backendtest.Set, backendtest.FailBefore(errRefused))
			assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("v", nil)))
		}},
		{name: "load, fenced by a Set", run: func(t *testing.T, ctx ctx, w *world) {
			assert.Equal(t, `"old" <nil>`, getOrLoad(t, ctx, w, func(context.Context, string) (string, error) {
				assert.NoError(t, w.Set(otherCaller(), secretKey, "new", time.Hour))
				return "old", nil
			}))
		}},
		{name: "load, shared", run: func(t *testing.T, ctx ctx, w *world) {
			answers := make(chan string, 2)
			load := func(context.Context, string) (string, error) {
				time.Sleep(time.Second)
				return "v", nil
			}
			go func() { answers <- getOrLoad(t, ctx, w, load) }()
			synctest.Wait()
			go func() { answers <- getOrLoad(t, otherCaller(), w, loads("another", nil)) }()
			assert.Equal(t, []string{`"v" <nil>`, `"v" <nil>`}, []string{<-answers, <-answers})
		}},
		{name: "load fails", run: func(t *testing.T, ctx ctx, w *world) {
			assert.Equal(t, `"" tiercache: load: connection lost while writing [key]`, getOrLoad(t, ctx, w, loads("", lostError{})))
		}},
		{name: "load panics", run: func(t *testing.T, ctx ctx, w *world) {
			assert.Equal(t, `"" tiercache: load: panic (string)`, getOrLoad(t, ctx, w, func(context.Context, string) (string, error) { panic(secretValue) }))
		}},
		{
			name: "load finds nothing, and that is remembered",
			opts: []tiercache.Option{tiercache.WithNegativeTTL(time.Minute)},
			run: func(t *testing.T, ctx ctx, w *world) {
				assert.Equal(t, `"" tiercache: load: backends: not found`, getOrLoad(t, ctx, w, loads("", backends.ErrNotFound)))
				assert.Equal(t, `"" backends: not found`, getOrLoad(t, ctx, w, loads("v", nil)))
			},
		},
		{
			name: "load fails, a stale value is better than none", l1: "v",
			opts: []tiercache.Option{tiercache.WithStaleIfError(time.Hour)},
			run: func(t *testing.T, ctx ctx, w *world) {
				time.Sleep(time.Hour + time.Minute) // the life of the value has ended a minute ago
				assert.Equal(t, `"" false <nil>`, get(t, ctx, w))
				assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("", errRefused)))
			},
		},
		{
			name: "refresh ahead", l1: "v", l2: "v",
			opts: []tiercache.Option{tiercache.WithRefreshAhead(0.25)},
			run: func(t *testing.T, ctx ctx, w *world) {
				time.Sleep(50 * time.Minute)
				assert.Equal(t, `"v" <nil>`, getOrLoad(t, ctx, w, loads("w", nil)))
				synctest.Wait()
				assert.Equal(t, `"w" <nil>`, getOrLoad(t, ctx, w, loads("x", nil)))
			},
		},
		{name: "a caller leaves", run: func(t *testing.T, ctx ctx, w *world) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			assert.Equal(t, `"" tiercache: get: loading: context deadline exceeded`,
				getOrLoad(t, ctx, w, func(ctx context.Context, _ string) (string, error) {
					<-ctx.Done() // nobody is left who wants the value
					return "", ctx.Err()
				}))
		}},
		{name: "closed", run: func(t *testing.T, ctx ctx, w *world) {
			require.NoError(t, w.Close(ctx))
			assert.Equal(t, `"" false tiercache: the cache is closed`, get(t, ctx, w))
			assert.Equal(t, `"" tiercache: the cache is closed`, getOrLoad(t, ctx, w, loads("v", nil)))
		}},
	}
}

type ctx2 = context.Context

// otherCaller is the context of another request, in a trace of its own.
func otherCaller() context.Context {
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
	}))
}

// TestReadContract holds the telemetry of reads, whole, to a file that people
// read: spans with all that they say, metrics, and what the tiers hold in the
// end.
func TestReadContract(t *testing.T) { //nolint:tparallel // the subtests write one file, in order
	t.Parallel()
	const file = "testdata/read_contract.txt"
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	sections := strings.SplitAfter(string(recorded), "\n\n\n")
	var all strings.Builder
	for i, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := play(t, s)
				all.WriteString(got)
				if !*update && assert.Less(t, i, len(sections)) {
					assert.Equal(t, sections[i], got)
				}
			})
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(all.String()), 0o600))
		return
	}
	assert.Len(t, sections, len(scenes())+1, "one for each scene, and nothing after the last")
}

func play(t *testing.T, s scene) string {
	t.Helper()
	c := newCapture()
	w := newWorld(t, append(c.options(), s.opts...)...)
	end := time.Now().Add(time.Hour).Round(0)
	for m, v := range map[*backendtest.Map[string]]string{w.map1: s.l1, w.map2: s.l2} {
		if v != "" {
			life := end
			if m == w.map1 && strings.Contains(s.name, "stale") {
				life = end.Add(time.Hour) // as the cache would have kept it
			}
			require.NoError(t, m.Set(t.Context(), secretKey, backends.Entry[string]{Value: v, ExpiresAt: life}))
		}
	}
	ctx, span := c.caller(t.Context())
	s.run(t, ctx, w)
	require.NoError(t, w.Close(t.Context()))
	span.End()
	for _, s := range c.spans.Ended() {
		if !slices.Contains([]trace.TraceID{span.SpanContext().TraceID(), {1}}, s.SpanContext().TraceID()) {
			t.Errorf("%s is in no caller's trace", s.Name())
		}
	}
	assert.NotContains(t, c.dump(t), secretKey)
	assert.NotContains(t, c.dump(t), secretValue)
	l1, l2 := w.holds(secretKey)
	return fmt.Sprintf("## %s\n\n%s%s%s\nL1 %q, L2 %q\n\n\n", s.name,
		withoutStacks(c.tree()), foreignSpans(c), strings.Join(c.metrics(t), "\n"), l1, l2)
}

// foreignSpans are those in the trace of the other caller.
func foreignSpans(c *capture) string {
	var b strings.Builder
	for _, s := range c.spans.Ended() {
		if s.Parent().SpanID() == (trace.SpanID{1}) {
			b.WriteString("other caller\n  " + spanLine(s) + linkedTo(c, s) + "\n")
		}
	}
	return b.String()
}

func linkedTo(c *capture, s sdktrace.ReadOnlySpan) (names string) {
	for _, l := range s.Links() {
		for _, o := range c.spans.Ended() {
			if o.SpanContext().SpanID() == l.SpanContext.SpanID() {
				names += " linked to " + o.Name() + " of the first caller"
			}
		}
	}
	return names
}

// withoutStacks leaves out what depends on the lines of source files.
func withoutStacks(tree string) string {
	const from, to = "exception.stacktrace=", " tiercache.cache.name"
	for {
		i := strings.Index(tree, from)
		if i < 0 {
			return tree
		}
		j := i + strings.Index(tree[i:], to)
		tree = tree[:i] + "(a stack)" + tree[j:]
	}
}

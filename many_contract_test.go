package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const manyContractHeader = "# The telemetry contract of conditional writes and of batches, as a transcript: spans as a tree, and metrics.\n" +
	"# Names are printed without their prefix \"tiercache.\". TestManyContract reads it, and writes it anew with -update."

// manyScenario is one operation that L2 decides, or one on many keys.
type manyScenario struct {
	name string
	opts []tiercache.Option
	run  func(t *testing.T, ctx context.Context, n node)
}

// manyKeys begin with the secret one, which must not be seen.
func manyKeys(n int) []string { return append([]string{secretKey}, keysOf(n)[1:]...) }

func putSecret(t *testing.T, n node, source uint64) {
	t.Helper()
	_, err := n.store.Client().Write(t.Context(), &backends.Write[string]{
		Key: secretKey, Kind: tier.Set, Entry: backends.Entry[string]{Value: "v"}, Source: source,
	})
	require.NoError(t, err)
}

//nolint:revive // the context is the caller's, and comes after t as in all helpers here
func manyScenarios() []manyScenario {
	type ctx = context.Context
	// Whether they fail is for the transcript to say.
	setIfAbsent := func(_ *testing.T, ctx ctx, n node) { _, _, _ = n.SetIfAbsent(ctx, secretKey, secretValue, time.Hour) }
	setMany := func(_ *testing.T, ctx ctx, n node) { _ = n.SetMany(ctx, valued(manyKeys(3), "v"), 0) }
	return []manyScenario{
		{name: "set-if-absent", run: setIfAbsent},
		{name: "set-if-absent, L2 has a value", run: func(t *testing.T, ctx ctx, n node) {
			putSecret(t, n, 0)
			setIfAbsent(t, ctx, n)
		}},
		{name: "set-if-absent, L2 is lost", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.Next(tier.Set, backendtest.ApplyThenFail(lostError{}))
			setIfAbsent(t, ctx, n)
		}},
		{name: "set-if-absent, L2 refuses", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.Next(tier.Set, backendtest.FailBefore(errRefused))
			setIfAbsent(t, ctx, n)
		}},
		{name: "update", run: func(t *testing.T, ctx ctx, n node) {
			_, err := n.Update(ctx, secretKey, time.Hour, func(old string, _ bool) (string, error) { return old + "+", nil })
			require.NoError(t, err)
		}},
		{name: "update, another writer is faster once", run: func(t *testing.T, ctx ctx, n node) {
			first := true
			_, err := n.Update(ctx, secretKey, time.Hour, func(old string, _ bool) (string, error) {
				if first {
					putSecret(t, n, 0)
				}
				first = false
				return old + "+", nil
			})
			require.NoError(t, err)
		}},
		{name: "update, the function fails", run: func(t *testing.T, ctx ctx, n node) {
			_, err := n.Update(ctx, secretKey, time.Hour, func(string, bool) (string, error) { return "", errors.New("no") })
			require.Error(t, err)
		}},
		{
			name: "set of an older value", opts: []tiercache.Option{tiercache.WithSourceVersion(func(string) uint64 { return 1 })},
			run: func(t *testing.T, ctx ctx, n node) {
				putSecret(t, n, 2)
				require.NoError(t, n.Set(ctx, secretKey, "old", 0))
			},
		},
		{name: "delete of an older version", run: func(t *testing.T, ctx ctx, n node) {
			putSecret(t, n, 2)
			require.NoError(t, n.DeleteVersion(ctx, secretKey, 1))
		}},
		{
			name: "conditional load, another process has deleted the key", opts: []tiercache.Option{tiercache.WithConditionalLoads()},
			run: func(t *testing.T, ctx ctx, n node) {
				_, err := n.GetOrLoad(ctx, secretKey, time.Hour, func(context.Context, string) (string, error) {
					return secretValue, n.store.Client().Delete(t.Context(), secretKey)
				})
				require.NoError(t, err)
			},
		},
		{
			name: "conditional load, to refresh", opts: []tiercache.Option{tiercache.WithConditionalLoads()},
			run: func(t *testing.T, ctx ctx, n node) {
				putSecret(t, n, 0)
				_, err := n.GetOrLoad(ctx, secretKey, time.Hour, loads("v", nil), tiercache.Refresh())
				require.NoError(t, err)
			},
		},
		{
			name: "conditional load, to refresh ahead", opts: []tiercache.Option{tiercache.WithConditionalLoads(), tiercache.WithRefreshAhead(0.5)},
			run: func(t *testing.T, ctx ctx, n node) {
				require.NoError(t, n.Set(t.Context(), secretKey, "v", time.Minute))
				time.Sleep(40 * time.Second)
				_, err := n.GetOrLoad(ctx, secretKey, time.Minute, loads("v", nil))
				require.NoError(t, err)
				synctest.Wait()
			},
		},
		{name: "set many", run: setMany},
		{
			name: "set many, in parallel", opts: []tiercache.Option{tiercache.WithWritePolicy(writepolicy.Parallel())},
			run: func(t *testing.T, ctx ctx, n node) {
				n.l2.Next(tier.Set, backendtest.Delay(time.Second)) // so that L1's span is the first
				setMany(t, ctx, n)
			},
		},
		{name: "set many, L2 refuses one", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.NextAt(tier.Set, 1, backendtest.FailBefore(errRefused))
			setMany(t, ctx, n)
		}},
		{name: "set many, L2 is lost", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.Next(tier.Set, backendtest.ApplyThenFail(lostError{}))
			setMany(t, ctx, n)
		}},
		{
			name: "set many, L2 refuses one after the return", opts: []tiercache.Option{tiercache.WithWritePolicy(writepolicy.Race())},
			run: func(t *testing.T, ctx ctx, n node) {
				n.l2.NextAt(tier.Set, 1, backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)))
				setMany(t, ctx, n)
				time.Sleep(2 * time.Second)
			},
		},
		{name: "delete many", run: func(t *testing.T, ctx ctx, n node) { require.NoError(t, n.DeleteMany(ctx, manyKeys(2))) }},
		{name: "get many", run: func(t *testing.T, ctx ctx, n node) {
			putSecret(t, n, 0)
			_, err := n.GetMany(ctx, manyKeys(2))
			require.NoError(t, err)
		}},
		{name: "get many, the refill fails", run: func(t *testing.T, ctx ctx, n node) {
			putSecret(t, n, 0)
			n.l1.Next(tier.Set, backendtest.FailBefore(errRefused))
			_, err := n.GetMany(ctx, manyKeys(1))
			require.NoError(t, err)
		}},
		{name: "get many, the refill is fenced", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
				putSecret(t, n, 0)
				err := apply(ctx)
				assert.NoError(t, n.Delete(ctx, secretKey))
				return err
			})
			_, err := n.GetMany(ctx, manyKeys(1))
			require.NoError(t, err)
		}},
		{name: "get many, L2 is lost", run: func(t *testing.T, ctx ctx, n node) {
			n.l2.Next(tier.Get, backendtest.Lose(lostError{}))
			_, err := n.GetMany(ctx, manyKeys(2))
			require.Error(t, err)
		}},
		{name: "load many", run: func(t *testing.T, ctx ctx, n node) {
			putSecret(t, n, 0)
			_, err := n.GetOrLoadMany(ctx, manyKeys(3), 0, func(_ context.Context, keys []string) (map[string]string, error) {
				return map[string]string{keys[0]: secretValue}, nil
			})
			require.NoError(t, err)
		}},
		{name: "load many, the loader fails", run: func(t *testing.T, ctx ctx, n node) {
			_, err := n.GetOrLoadMany(ctx, manyKeys(2), 0, func(context.Context, []string) (map[string]string, error) {
				return nil, errRefused
			})
			require.Error(t, err)
		}},
	}
}

// TestManyContract holds the telemetry of conditional writes and of batches, whole, to a
// file that people read.
func TestManyContract(t *testing.T) { //nolint:tparallel // the subtests write one file, in order
	t.Parallel()
	var sections []section
	for _, s := range manyScenarios() {
		sections = append(sections, section{s.name, func(t *testing.T) string {
			t.Helper()
			return runManyScenario(t, s)
		}})
	}
	checkTranscript(t, "testdata/many_contract.txt", manyContractHeader, sections)
}

func runManyScenario(t *testing.T, s manyScenario) string {
	t.Helper()
	c := newRecorder()
	n := newNode(t, append(s.opts, c.options()...)...)
	ctx, span := c.caller(t.Context())
	s.run(t, ctx, n)
	require.NoError(t, n.Close(t.Context()))
	span.End()
	assert.NotContains(t, c.dump(t), secretKey)
	assert.NotContains(t, c.dump(t), secretValue)
	return c.Tree(tiercachetest.ShortNames()) + strings.Join(shortMetrics(t, c), "\n")
}

// A batch whose keys all have an event: the span has 16 of them and their number, the
// hook and the counter have each.
func TestSetMany_ManyEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 200
		c := newRecorder()
		var mu sync.Mutex // hooks of several keys run at once
		var told []string
		n := newNode(t, append(c.options(tracing.WithLogLimit(0)), tiercache.WithInconsistencyHook(func(_ context.Context, i tiercache.Inconsistency) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, i.Key)
		}))...)
		n.l2.Next(tier.Set, backendtest.FailBefore(errRefused))
		ctx, caller := c.caller(t.Context())
		err := n.SetMany(ctx, valued(keysOf(size), ""), 0)
		caller.End()
		require.ErrorIs(t, err, tiercache.ErrInconsistent)
		assert.Less(t, len(err.Error()), 1000, "the text names some of them")
		slices.Sort(told)
		assert.Len(t, slices.Compact(told), size)
		for _, s := range c.Spans() {
			if s.Name() == "set_many users" {
				assert.Len(t, s.Events(), 16)
				assert.Contains(t, s.Attributes(), tracing.AttrBatchInconsistencies.Int(size))
			}
		}
		assert.Contains(t, strings.Join(c.metrics(t), "\n"),
			fmt.Sprintf("tiercache.inconsistencies {inconsistency} value=%d tiercache.cache.name=users tiercache.inconsistency.resolved=false tiercache.inconsistency.stale_tier=l2", size))
	})
}

// The events of keys whose detached writes fail after the batch has returned are on the span
// of the call that ended last, likewise.
func TestSetMany_ManyLateEvents(t *testing.T) {
	t.Parallel()
	const size = 200
	for name, spans := range map[string]tracing.TierSpans{"all": tracing.TierSpansAll, "failures": tracing.TierSpansFailures} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newRecorder()
				n := newNode(t, append(c.options(tracing.WithTierSpans(spans)), tiercache.WithWritePolicy(writepolicy.Race(writepolicy.MaxDetached(size))))...)
				n.l2.Next(tier.Set, backendtest.Chain(backendtest.Delay(time.Second), backendtest.FailBefore(errRefused)))
				require.NoError(t, n.SetMany(t.Context(), valued(keysOf(size), ""), 0))
				require.NoError(t, n.Close(t.Context()))
				events := map[string]int{}
				for _, s := range c.Spans() {
					if len(s.Events()) == 0 {
						assert.NotContains(t, s.Attributes(), tracing.AttrConsistent.Bool(false), s.Name())
						continue
					}
					events[s.Name()] = len(s.Events())
					assert.Contains(t, s.Attributes(), tracing.AttrBatchInconsistencies.Int(size))
					assert.Contains(t, s.Attributes(), tracing.AttrConsistent.Bool(false))
				}
				assert.Equal(t, map[string]int{"set_many users l2": 16}, events)
			})
		})
	}
}

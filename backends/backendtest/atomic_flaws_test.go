package backendtest_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

// stepwise writes an entry in two steps.
type stepwise struct {
	*store
	between func()
	first   func(old, e entry) entry // what a reader sees after the first step
}

func (b stepwise) Set(ctx context.Context, key string, e entry) error {
	old, ok, _ := b.Get(ctx, key)
	if ok && b.first != nil {
		_ = b.store.Set(ctx, key, b.first(old, e))
	} else if ok {
		_ = b.Delete(ctx, key)
	}
	b.between()
	return b.store.Set(ctx, key, e)
}

func valueFirst(old, e entry) entry  { return entry{Value: e.Value, ExpiresAt: old.ExpiresAt} }
func expiryFirst(old, e entry) entry { return entry{Value: old.Value, ExpiresAt: e.ExpiresAt} }

func halfValueFirst(old, e entry) entry {
	n := min(len(old.Value), len(e.Value)) - 3
	return entry{Value: e.Value[:max(n, 0)] + old.Value[max(n, 0):], ExpiresAt: e.ExpiresAt}
}

func atomicFlaws() map[string]flaw {
	found := []string{"writes-are-atomic"}
	all := make(map[string]flaw)
	for name, first := range map[string]func(old, e entry) entry{
		"the value first":      valueFirst,
		"the expiry first":     expiryFirst,
		"half the value first": halfValueFirst,
		"a delete first":       nil,
	} {
		for pause, d := range map[string]time.Duration{"": time.Millisecond, ", slowly": 50 * time.Millisecond} {
			all[name+pause] = flaw{
				backend: func() backends.Backend[string] {
					return stepwise{newStore(), func() { time.Sleep(d) }, first}
				},
				found: found,
			}
		}
	}
	return all
}

// A write whose steps are a few instructions apart.
func TestSuite_FindsFastWritesInSteps(t *testing.T) {
	t.Parallel()
	s := suite(func() backends.Backend[string] {
		return stepwise{newStore(), runtime.Gosched, valueFirst}
	})
	assert.Contains(t, s.Failures(t), "writes-are-atomic")
}

func TestSuite_FindsWritesInStepsOutsideOfABubble(t *testing.T) {
	if isChild(t) {
		s := suite(atomicFlaws()["the value first"].backend)
		s.Bubble = false
		s.Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestSuite_FindsWritesInStepsOutsideOfABubble", "writes-are-atomic")
	assert.Contains(t, out, "while Set replaces an entry: Get: ")
}

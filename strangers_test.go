package tiercache_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
)

// exclusion says why some cells of the matrix are left out.
type exclusion struct {
	reason string
	of     func(c strangerCase) bool
}

func exclusions() []exclusion {
	return []exclusion{
		{"it is not called in this operation", func(c strangerCase) bool { return !slices.Contains(c.actor.ops, c.op.name) }},
		{"it is called only if telemetry is on", func(c strangerCase) bool { return c.actor.telemetry && !c.telemetry }},
		{"it belongs to one policy", func(c strangerCase) bool { return c.actor.only != "" && c.actor.only != c.policy }},
		{"the operation does not reach the write policy", func(c strangerCase) bool {
			return (!c.op.writes || c.op.decided) && c.policy != "sequential"
		}},
		{"L2 decides nothing", func(c strangerCase) bool { return c.misconduct.decided && !c.op.decided }},
		{
			"the tiers of a batch are those of its keys: how an error is read is seen in operations on one key",
			func(c strangerCase) bool {
				special := c.misconduct.kind == fails || c.misconduct.kind == panics
				return c.op.many && special && !c.misconduct.plain
			},
		},
		{
			"a batch whose writes of L2 fail after its return would be reported, and call itself, for ever",
			func(c strangerCase) bool {
				return c.actor.l2Down && c.policy == "race" && c.misconduct.name == "calls SetMany of the key and another"
			},
		},
		{
			"how an error or a panic is read is seen under the policies, and where only L2 or the caller's function decides",
			func(c strangerCase) bool {
				special := c.misconduct.kind == fails || c.misconduct.kind == panics
				own := slices.Contains([]string{"l2 write", "l2 get if", "change", "source"}, c.actor.place)
				return c.op.decided && special && !c.misconduct.plain && !own
			},
		},
		{"it returns no error", func(c strangerCase) bool { return c.misconduct.kind == fails && !c.actor.errors }},
		{"it gets no context for which it could wait", func(c strangerCase) bool { return c.misconduct.kind == hangs && !c.actor.context }},
		{
			"a sequential policy goes its own way with tiers in the process only in a Set without telemetry",
			func(c strangerCase) bool { return c.inProcess() && (c.telemetry || c.op.name != "set") },
		},
		{
			"its context does not end: the docs say so of stores in the process, policies, hooks and telemetry",
			func(c strangerCase) bool {
				endless := c.actor.telemetry || c.inProcess() || slices.Contains([]string{
					"l1 set", "l1 set, applied", "l1 delete", "l1 staged", "policy begin", "policy middle", "policy end", "hook",
				}, c.actor.place)
				return c.misconduct.kind == hangs && endless
			},
		},
		{
			"a policy of this module reads no error, so how one is read is seen under one of them",
			func(c strangerCase) bool {
				special := c.misconduct.kind == fails || c.misconduct.kind == panics
				return special && !c.misconduct.plain && (c.policy == "parallel" || c.policy == "race")
			},
		},
		{
			"a custom policy gets an error of a tier in one way, whichever tier and call it comes from",
			func(c strangerCase) bool {
				special := c.misconduct.kind == fails || c.misconduct.kind == panics
				return special && !c.misconduct.plain && c.policy == "custom" && c.actor.only == "" && c.actor.place != "l2 set"
			},
		},
		{
			"a refresh in the background has no deadline yet",
			func(c strangerCase) bool {
				return c.misconduct.kind == hangs && c.op.ahead && slices.Contains([]string{"loader", "l1 stage", "l2 stage"}, c.actor.place)
			},
		},
		{
			"a store that applies a write and says that it certainly did not cannot be found out",
			func(c strangerCase) bool {
				return strings.HasSuffix(c.actor.place, ", applied") && c.misconduct.name == "error that was not applied"
			},
		},
	}
}

// strangerCases is the matrix: all that is not excluded. With -short, and under the
// race detector, it is every 17th of them.
func strangerCases() (cases []strangerCase) {
	excluded := exclusions()
	for _, a := range append(actors(), conditionalActors()...) {
		for _, m := range misconducts() {
			for _, op := range append(operations(), conditionalOperations()...) {
				for _, policy := range []string{"sequential", "sequential, in the process", "parallel", "race", "custom"} {
					for _, telemetry := range []bool{false, true} {
						c := strangerCase{a, m, op, policy, telemetry}
						if !slices.ContainsFunc(excluded, func(e exclusion) bool { return e.of(c) }) {
							cases = append(cases, c)
						}
					}
				}
			}
		}
	}
	if testing.Short() || raceDetector {
		sample := cases[:0]
		for i := 0; i < len(cases); i += 17 { // a prime, so that it meets all options
			sample = append(sample, cases[i])
		}
		return sample
	}
	return cases
}

// TestStrangers: whatever somebody else's code does, the operation ends, the key is
// free, the event is out, Close ends, and no goroutine is left.
func TestStrangers(t *testing.T) {
	t.Parallel()
	cases := strangerCases()
	t.Logf("%d cases", len(cases))
	for _, c := range cases {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runStranger(t, newScenario(t, c)) })
		})
	}
}

// outcome is the end of a function that had a goroutine of its own.
type outcome struct {
	err      error
	panicked any
	exited   bool
}

// apart calls f in a goroutine of its own, so that runtime.Goexit ends only that.
func apart(t *testing.T, f func() error) outcome {
	t.Helper()
	ended := make(chan outcome, 1)
	go func() {
		o := outcome{exited: true}
		defer func() {
			if o.panicked = recover(); o.panicked != nil {
				o.exited = false
			}
			ended <- o
		}()
		o.err = f()
		o.exited = false
	}()
	select {
	case o := <-ended:
		return o
	case <-time.After(24 * time.Hour): // of the bubble
		require.FailNow(t, "the operation does not end")
		return outcome{}
	}
}

func runStranger(t *testing.T, s *scenario) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	if s.misconduct.kind == hangs {
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
	}
	defer cancel()
	if s.op.ahead {
		time.Sleep(45 * time.Second) // so that a quarter of the TTL is left
	}
	s.armed.Store(true)
	got := apart(t, func() error { return s.op.run(s, ctx) })
	synctest.Wait()
	time.Sleep(time.Minute) // until detached writes have ended
	s.armed.Store(false)
	require.NotZero(t, s.struck.Load(), "the misconduct was never seen")
	require.Nil(t, got.panicked)
	s.checkEnd(t, got)
	s.checkEvents(t)
	s.checkFree(t)
	s.checkSpans(t, got)
	s.checkSecrets(t, got)
}

// checkEnd: whoever can get an error gets one.
func (s *scenario) checkEnd(t *testing.T, got outcome) {
	t.Helper()
	failed := got.err != nil || got.exited
	if got.exited {
		assert.Equal(t, exits, s.misconduct.kind, "nobody else ends a goroutine")
	}
	switch {
	case s.op.decided:
		s.checkDecidedEnd(t, got)
	case s.misconduct.kind == reenters || s.actor.l2Down:
	case s.actor.place == "loader":
		assert.Equal(t, s.op.single() == "load", failed, "%v", got.err)
	case s.actor.writes && (s.op.single() == "set" || s.op.single() == "delete") && s.policy != "race":
		assert.True(t, failed, "the write has failed")
	case s.misconduct.kind == hangs && s.actor.place == "l1 get value" && (s.op.name == "hit" || s.op.name == "refill"):
		require.NoError(t, got.err, "an error of L1 does not hide the value of L2")
	case s.misconduct.kind == hangs && s.actor.place == "l2 get" && s.op.single() != "refill":
		require.NoError(t, got.err, "the read has a timeout, and then the loader is asked")
	case s.misconduct.kind == hangs && !s.actor.writes:
		if got.err != nil { // otherwise L2 had the value
			require.ErrorIs(t, got.err, context.DeadlineExceeded)
		}
	case !s.actor.writes && !got.exited && s.op.single() != "refill" && s.op.name != "load, refill" && s.misconduct.kind != exits:
		assert.NoError(t, got.err, "it has no part in the result")
	}
}

// checkEvents: the event is out exactly when the tiers may differ.
func (s *scenario) checkEvents(t *testing.T) {
	t.Helper()
	hooked := len(s.hooked())
	if s.differ() && s.op.writes {
		assert.NotZero(t, hooked, "the tiers differ, and nobody was told")
	}
	if !s.actor.writes && !s.actor.l2Down && s.misconduct.kind != reenters && s.misconduct.kind != exits {
		assert.Zero(t, hooked, "the tiers cannot differ")
	}
	if s.actor.l2Down {
		assert.NotZero(t, hooked, "L2 is down")
	}
	if !s.telemetry {
		return
	}
	events := 0
	for _, span := range s.spans.Ended() {
		for _, e := range span.Events() {
			if e.Name == tracing.EventInconsistency {
				events++
			}
		}
	}
	got := map[string]int{
		"log": len(s.logs.records), "slog": strings.Count(s.slog.String(), tracing.EventInconsistency),
		"span": events,
	}
	if s.spares("counter") {
		got["counter"] = int(s.counted(t))
	}
	for outlet, n := range got {
		if s.spares(outlet) {
			assert.GreaterOrEqual(t, n, hooked, outlet)
		}
	}
}

// spares reports whether the misconduct leaves that way to tell of an event alone.
func (s *scenario) spares(outlet string) bool {
	batch := s.op.many || strings.Contains(s.misconduct.name, "Many")
	if batch && s.policy == "race" && outlet == "span" {
		return false // the span of a batch has ended when a detached write of it does
	}
	switch s.actor.place {
	case "log enabled":
		return outlet != "log" || s.misconduct.kind == reenters
	case "slog enabled":
		return outlet != "slog" || s.misconduct.kind == reenters
	case "exemplar filter", "metric view":
		return outlet != "counter"
	case "sampler", "span start":
		return outlet != "span"
	default:
		return true
	}
}

// checkFree: the key can be written, and the cache closed.
func (s *scenario) checkFree(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if s.misconduct.name == "calls Close" {
		require.ErrorIs(t, s.Set(ctx, secretKey, after, 0), tiercache.ErrClosed)
	} else {
		require.NoError(t, s.Set(ctx, secretKey, after, 0))
		synctest.Wait()
		assert.Equal(t, after, s.map1.Snapshot()[secretKey].Value)
		assert.Equal(t, after, s.stored2()[secretKey].Value)
	}
	require.NoError(t, s.Close(ctx))
}

// checkSpans: they have all ended, and that of a goroutine that was ended has an
// error.
func (s *scenario) checkSpans(t *testing.T, got outcome) {
	t.Helper()
	if !s.telemetry {
		return
	}
	if s.actor.place != "span start" || s.misconduct.kind == reenters { // otherwise Start does not return the span
		assert.Len(t, s.spans.Ended(), len(s.spans.Started()))
	}
	if got.exited && !s.actor.telemetry && s.actor.place != "l1 get value" && s.actor.place != "l1 get" { // L1 is asked before there is a span
		assert.True(t, slices.ContainsFunc(s.spans.Ended(), func(span sdktrace.ReadOnlySpan) bool {
			return span.Status().Code == codes.Error
		}), "a span says that the goroutine was ended")
	}
}

// checkSecrets: the key is nowhere.
func (s *scenario) checkSecrets(t *testing.T, got outcome) {
	t.Helper()
	if got.err != nil {
		assert.NotContains(t, got.err.Error(), secretKey)
	}
	if s.telemetry {
		assert.NotContains(t, s.dump(t), secretKey)
	}
}

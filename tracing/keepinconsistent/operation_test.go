package keepinconsistent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/tracing"
)

// A policy of a user can leave both tiers behind: the operation is over when both have
// been heard of.
func TestProcessor_BothTiersAreLate(t *testing.T) {
	t.Parallel()
	tp, p, exported := newProvider()
	tracer := tp.Tracer(tracing.ScopeName)
	cache := trace.WithAttributes(tracing.AttrCache.String("users"), tracing.AttrOperation.String("set"))
	ctx, write := tracer.Start(t.Context(), "set users", cache)
	write.End()
	_, l1 := tracer.Start(ctx, "set users l1", cache, trace.WithAttributes(tracing.AttrTier.String("l1")))
	l1.End()
	assert.EqualValues(t, 2, p.Stats().Followed)
	_, l2 := tracer.Start(ctx, "set users l2", cache, trace.WithAttributes(tracing.AttrTier.String("l2")))
	l2.SetAttributes(tracing.AttrConsistent.Bool(false))
	l2.End()
	assert.Len(t, exported.GetSpans(), 3)
	assert.Zero(t, p.Stats().Followed)
}

// Operations of one trace end and expire in any order, and each is forgotten once.
func TestProcessor_ForgetsEachOnce(t *testing.T) {
	t.Parallel()
	tp, p, _ := newProvider()
	tracer := tp.Tracer(tracing.ScopeName)
	ctx, parent := tp.Tracer("other").Start(t.Context(), "request")
	defer parent.End()
	cache := trace.WithAttributes(tracing.AttrCache.String("users"))
	now := time.Now()
	start := func(at time.Duration) trace.Span {
		_, span := tracer.Start(ctx, "get users", cache, trace.WithTimestamp(now.Add(at))) //nolint:spancheck // its caller ends it
		return span                                                                        //nolint:spancheck // likewise
	}
	end := func(s trace.Span, at time.Duration) { s.End(trace.WithTimestamp(now.Add(at))) }

	first, second, third, fourth := start(0), start(1), start(2), start(3)
	end(second, time.Second) // of the middle
	end(fourth, time.Second) // the newest
	assert.EqualValues(t, 2, p.Stats().Followed)
	fifth := start(time.Second)
	assert.EqualValues(t, 3, p.Stats().Followed)

	sixth := start(10*time.Second + 500*time.Millisecond) // the first and third expire
	assert.EqualValues(t, 2, p.Stats().Followed)
	assert.EqualValues(t, 2, p.Stats().Lost)
	for _, s := range []trace.Span{first, third, sixth} {
		end(s, 10*time.Second+600*time.Millisecond)
	}
	assert.EqualValues(t, 1, p.Stats().Followed)
	last := start(time.Hour)
	assert.EqualValues(t, 1, p.Stats().Followed, "the fifth has expired")
	assert.EqualValues(t, 3, p.Stats().Lost)
	end(fifth, time.Hour)
	end(last, time.Hour)
	assert.Zero(t, p.Stats().Followed)
}

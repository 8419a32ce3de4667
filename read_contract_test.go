package tiercache_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tiercachetest"
)

const readContractHeader = "# The telemetry contract of reads, as a transcript: spans as a tree, metrics, and what the tiers hold at the end.\n" +
	"# Names are printed without their prefix \"tiercache.\". TestReadContract reads it, and writes it anew with -update."

// TestReadContract holds the telemetry of reads, whole, to a file that people
// read.
func TestReadContract(t *testing.T) { //nolint:tparallel // the subtests write one file, in order
	t.Parallel()
	var sections []section
	for _, s := range readScenarios() {
		sections = append(sections, section{s.name, func(t *testing.T) string {
			t.Helper()
			return runReadScenario(t, s)
		}})
	}
	checkTranscript(t, "testdata/read_contract.txt", readContractHeader, sections)
}

// readFixture is a cache all of whose telemetry is recorded.
type readFixture struct {
	*fixture
	c    *recorder
	ends []func() // of callers
}

// otherCaller is the context of another request, in a trace of its own.
func (f *readFixture) otherCaller(t *testing.T) context.Context {
	t.Helper()
	ctx, span := f.c.TracerProvider().Tracer("caller").Start(t.Context(), "other caller")
	f.ends = append(f.ends, func() { span.End() })
	return ctx
}

// runReadScenario returns the transcript of a scenario.
func runReadScenario(t *testing.T, s readScenario) string {
	t.Helper()
	c := newRecorder()
	f := &readFixture{newFixture(t, append(c.options(), s.opts...)...), c, nil}
	end := time.Now().Add(time.Hour).Round(0)
	for m, v := range map[*backendtest.Map[string]]string{f.Map1: s.l1, f.Map2: s.l2} {
		if v != "" {
			expiresAt := end
			if m == f.Map1 && strings.Contains(s.name, "stale") {
				expiresAt = end.Add(time.Hour) // as the cache would have kept it
			}
			require.NoError(t, m.Set(t.Context(), secretKey, backends.Entry[string]{Value: v, ExpiresAt: expiresAt}))
		}
	}
	ctx, span := c.caller(t.Context())
	s.run(t, ctx, f)
	require.NoError(t, f.Close(t.Context()))
	span.End()
	for _, end := range f.ends {
		end()
	}
	for _, root := range tiercachetest.Nodes(c.Spans()) {
		if !strings.HasSuffix(root.Span.Name(), "caller") {
			t.Errorf("%s is in no caller's trace", root.Span.Name())
		}
	}
	assert.NotContains(t, c.dump(t), secretKey)
	assert.NotContains(t, c.dump(t), secretValue)
	l1, l2 := f.Holds(secretKey)
	return fmt.Sprintf("%s%s\nL1 %q, L2 %q", c.Tree(tiercachetest.ShortNames()), strings.Join(shortMetrics(t, c), "\n"), l1, l2)
}

// foreignNames are the names of attributes that do not begin with "tiercache.".
var foreignNames = []attribute.Key{
	semconv.DBSystemNameKey, semconv.ErrorTypeKey, semconv.ExceptionStacktraceKey,
}

// shortMetrics leaves out the prefix of names, once it has seen that all names that
// the transcript shortens have it.
func shortMetrics(t *testing.T, c *recorder) []string {
	t.Helper()
	checkName := func(key attribute.Key) {
		if !slices.Contains(foreignNames, key) {
			assert.True(t, strings.HasPrefix(string(key), "tiercache."), "the prefix of %s", key)
		}
	}
	for _, s := range c.Spans() {
		for _, kv := range s.Attributes() {
			checkName(kv.Key)
		}
		for _, e := range s.Events() {
			for _, kv := range e.Attributes {
				checkName(kv.Key)
			}
		}
	}
	lines := c.metrics(t)
	for i, line := range lines {
		words := strings.Fields(line) // name, unit, count or value, attributes
		checkName(attribute.Key(words[0]))
		for _, kv := range words[3:] {
			key, _, _ := strings.Cut(kv, "=")
			checkName(attribute.Key(key))
		}
		lines[i] = strings.ReplaceAll(line, "tiercache.", "")
	}
	return lines
}

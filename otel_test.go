package tiercache_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

const (
	secretKey   = "user:4711:token"
	secretValue = "correct horse battery staple"
)

// lostError is an error of which nobody knows whether it came before or after
// the write. It quotes the key, as some clients do.
type lostError struct{}

func (lostError) Error() string     { return "connection lost while writing " + secretKey }
func (lostError) ErrorType() string { return "lost" }

var errRefused = errors.New("refused")

// contractRow is a row of testdata/write_contract.txt.
type contractRow struct {
	policy, op, l1, l2, drop string
	calls                    []string
	shown, answer, event     string
}

func readContract(t *testing.T) (rows []contractRow) {
	t.Helper()
	f, err := os.Open("testdata/write_contract.txt")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		cols := strings.Split(line, "|")
		require.Len(t, cols, 9, line)
		for i := range cols {
			cols[i] = strings.TrimSpace(cols[i])
		}
		rows = append(rows, contractRow{
			cols[0], cols[1], cols[2], cols[3], cols[4], strings.Split(cols[5], "; "), cols[6], cols[7], cols[8],
		})
	}
	return rows
}

func policyOf(t *testing.T, name string) writepolicy.Policy {
	t.Helper()
	switch name, _, _ := strings.Cut(name, "/"); name {
	case "sequential":
		return writepolicy.Sequential()
	case "sequential+invalidate":
		return writepolicy.Sequential(writepolicy.InvalidateL1())
	case "sequential_l2_first":
		return writepolicy.Sequential(writepolicy.L2First)
	case "parallel":
		return writepolicy.Parallel()
	case "optimistic_parallel":
		return writepolicy.OptimisticParallel()
	case "race":
		return writepolicy.Race()
	case "write_around":
		return writepolicy.WriteAround()
	}
	t.Fatalf("no policy %q", name)
	return nil
}

// TestWriteContract holds all telemetry of every policy, for every pair of tier
// outcomes, to the table, and finds nothing besides.
func TestWriteContract(t *testing.T) {
	t.Parallel()
	rows := readContract(t)
	require.Greater(t, len(rows), 100)
	for _, row := range rows {
		name := strings.Join([]string{row.policy, row.op, row.l1, row.l2, row.drop}, ",")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testRow(t, row) })
		})
	}
}

func testRow(t *testing.T, row contractRow) {
	faults := map[string]backendtest.Fault{
		"applied": nil,
		"failed":  backendtest.FailBefore(errRefused),
		"unknown": backendtest.ApplyThenFail(lostError{}),
	}
	late := func(f backendtest.Fault) backendtest.Fault {
		if f == nil {
			return backendtest.Delay(time.Second)
		}
		return backendtest.Chain(backendtest.Delay(time.Second), f)
	}
	l1 := backendtest.WithFaults(backendtest.NewMap[string]())
	l2 := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{
		System: "fake", ServerAddress: "fake.example", ServerPort: 6379,
	})
	call, fault1, fault2 := backendtest.Set, faults[row.l1], late(faults[row.l2])
	if strings.HasSuffix(row.policy, "l2 is faster") {
		fault1, fault2 = late(faults[row.l1]), faults[row.l2]
	}
	if row.op == "delete" {
		call = backendtest.Delete
	}
	if row.l1 != "-" {
		l1.Next(call, fault1)
	}
	l1.Next(backendtest.Delete, faults[row.drop])
	l2.Next(call, fault2)

	c := newCapture()
	cache, err := tiercache.New("users", l1, l2,
		append(c.options(), tiercache.WithWritePolicy(policyOf(t, row.policy)))...)
	require.NoError(t, err)
	ctx, span := c.caller(t.Context())
	if row.op == "set" {
		err = cache.Set(ctx, secretKey, secretValue, time.Hour)
	} else {
		err = cache.Delete(ctx, secretKey)
	}
	require.NoError(t, cache.Close(ctx))
	span.End()

	want := expand(row, err)
	assert.Equal(t, row.answer == "error", err != nil, "the answer: %v", err)
	assert.Equal(t, want.tree, c.tree())
	assert.Equal(t, want.metrics, c.metrics(t))
	checkEvent(t, c, row, want.event)
	checkError(t, row, err)
	assert.NotContains(t, c.dump(t), secretKey)
	assert.NotContains(t, c.dump(t), secretValue)
}

// expected is what a row of the table says in full.
type expected struct {
	tree, event string
	metrics     []string
}

func expand(row contractRow, err error) expected {
	policy, _, _ := strings.Cut(row.policy, "/")
	policy = strings.Replace(policy, "+invalidate", "_invalidate_l1", 1)
	shown := strings.Fields(row.shown)
	var e expected
	var onOp, onTier string
	consistent := "true"
	if row.event != "-" {
		f := strings.Fields(row.event) // stale, compensation, resolved or open, "on", whose
		resolved := f[2] == "resolved"
		consistent = fmt.Sprint(resolved)
		e.event = sorted(append([]string{
			errorTypeOf(row), "tiercache.cache.name=users", "tiercache.operation.name=" + row.op,
			"tiercache.policy.name=" + policy, "tiercache.inconsistency.stale_tier=" + f[0],
			"tiercache.inconsistency.compensation=" + f[1], fmt.Sprintf("tiercache.inconsistency.resolved=%t", resolved),
		}, finalOutcomes(row)...))
		if f[4] == "op" {
			onOp = "    ! tiercache.inconsistency " + e.event + "\n"
		} else {
			onTier = f[4]
		}
		e.metrics = append(e.metrics, fmt.Sprintf(
			"tiercache.inconsistencies {inconsistency} value=1 tiercache.cache.name=users tiercache.inconsistency.resolved=%t tiercache.inconsistency.stale_tier=%s tiercache.operation.name=%s",
			resolved, f[0], row.op))
	}

	op := []string{"tiercache.cache.name=users", "tiercache.operation.name=" + row.op, "tiercache.policy.name=" + policy}
	duration := slices.Clone(op)
	for i, id := range []string{"l1", "l2"} {
		if shown[i] != "~" {
			op = append(op, "tiercache."+id+".outcome="+shown[i])
		}
	}
	if !strings.Contains(row.shown, "~") {
		op = append(op, "tiercache.consistent="+consistent)
	}
	status := ""
	if err != nil {
		op, duration = append(op, errorTypeOf(row)), append(duration, errorTypeOf(row))
		status = fmt.Sprintf(" Error: %q", err.Error())
	}
	e.metrics = append(e.metrics, "tiercache.operation.duration s count=1 "+sorted(duration))

	e.tree = "caller (internal)\n  " + row.op + " users (internal) " + sorted(op) + status + "\n" + onOp
	for _, call := range row.calls {
		f := strings.Fields(call) // what, tier, outcome
		line, measured := expandCall(f[0], f[1], f[2], onTier == f[1])
		e.tree += "    " + line + "\n"
		if onTier == f[1] {
			e.tree += "      ! tiercache.inconsistency " + e.event + "\n"
		}
		e.metrics = append(e.metrics, measured)
	}
	slices.Sort(e.metrics)
	return e
}

func expandCall(call, tier, outcome string, late bool) (span, measured string) {
	attrs := []string{
		"tiercache.cache.name=users", "tiercache.operation.name=" + call,
		"tiercache.outcome=" + outcome, "tiercache.tier.name=" + tier,
	}
	status := ""
	switch outcome {
	case "failed":
		attrs = append(attrs, "error.type=_OTHER")
		status = fmt.Sprintf(" Error: %q", tier+" "+call+" failed: refused")
	case "unknown":
		attrs = append(attrs, "error.type=lost")
		status = fmt.Sprintf(" Error: %q", tier+" "+call+" unknown: connection lost while writing [key]")
	}
	measured = "tiercache.tier.operation.duration s count=1 " + sorted(attrs)
	kind := "internal"
	if tier == "l2" {
		kind = "client"
		attrs = append(attrs, "db.system.name=fake", "server.address=fake.example", "server.port=6379")
	}
	if late {
		attrs = append(attrs, "tiercache.consistent=false")
	}
	return fmt.Sprintf("%s users %s (%s) %s%s", call, tier, kind, sorted(attrs), status), measured
}

// finalOutcomes are those of the tiers when all is over, as the rules of the
// library have them: a tier that is only dropped, while the other applied the
// write, has the outcome of that.
func finalOutcomes(row contractRow) []string {
	final := map[string]string{"l1": "skipped", "l2": "skipped"}
	for _, call := range row.calls {
		f := strings.Fields(call)
		if f[0] != "invalidate" || row.policy == "write_around" && final["l2"] == "applied" {
			final[f[1]] = f[2]
		}
	}
	return []string{"tiercache.l1.outcome=" + final["l1"], "tiercache.l2.outcome=" + final["l2"]}
}

// errorTypeOf is that of the first tier that did not apply the write, the stale one
// first, and compensation last.
func errorTypeOf(row contractRow) string {
	var calls []string
	parts := [][2]string{{row.op, "l1"}, {row.op, "l2"}, {"invalidate", "l1"}}
	if strings.HasPrefix(row.event, "l2") {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		for _, call := range row.calls {
			if strings.HasPrefix(call, part[0]+" "+part[1]) {
				calls = append(calls, call)
			}
		}
	}
	for _, call := range calls {
		switch strings.Fields(call)[2] {
		case "failed":
			return "error.type=_OTHER"
		case "unknown":
			return "error.type=lost"
		}
	}
	return "error.type=_OTHER"
}

// hasCause reports whether a tier has an error.
func hasCause(row contractRow) bool {
	return slices.ContainsFunc(row.calls, func(call string) bool { return strings.Fields(call)[2] != "applied" })
}

func sorted(s []string) string {
	slices.Sort(s)
	return strings.Join(s, " ")
}

// checkEvent finds the event once as a log record, once in slog and once at the
// hook, or nowhere.
func checkEvent(t *testing.T, c *capture, row contractRow, event string) {
	t.Helper()
	if event == "" {
		assert.Empty(t, c.logs.records)
		assert.Empty(t, c.slog.String())
		assert.Empty(t, c.hooked())
		return
	}
	f := strings.Fields(row.event)
	spanName, severity, level := row.op+" users", "ERROR", "level=ERROR"
	if f[4] != "op" {
		spanName += " " + f[4]
	}
	if f[2] == "resolved" {
		severity, level = "WARN", "level=WARN"
	}
	require.Len(t, c.logs.records, 1)
	r := c.logs.records[0]
	assert.Equal(t, tracing.EventInconsistency, r.EventName())
	assert.Equal(t, severity, r.Severity().String())
	assert.Equal(t, severity, r.SeverityText())
	assert.False(t, r.Timestamp().IsZero())
	assert.Equal(t, event, logAttrs(r))
	assert.Equal(t, hasCause(row), logCause(r) != "", "the record has the cause, because its trace may not be sampled")
	i := slices.IndexFunc(c.spans.Ended(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() == spanName })
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, c.spans.Ended()[i].SpanContext().SpanID(), r.SpanID())
	assert.Equal(t, c.spans.Ended()[i].SpanContext().TraceID(), r.TraceID())

	require.Equal(t, 1, strings.Count(c.slog.String(), "\n"))
	assert.Contains(t, c.slog.String(), level)
	for kv := range strings.FieldsSeq(event) {
		assert.Contains(t, c.slog.String(), kv)
	}
	require.Len(t, c.hooked(), 1)
	hook := c.hooked()[0]
	if hasCause(row) {
		assert.Contains(t, c.slog.String(), "error="+strconv.Quote(logCause(r)))
		assert.Equal(t, hook.Err().Error(), logCause(r))
	}
	assert.Equal(t, secretKey, hook.Key)
	assert.Equal(t, f[2] == "resolved", hook.Verdict.Resolved)
	assert.Equal(t, f[0], hook.Verdict.Stale.String())
}

// checkError finds in the error what the spans say.
func checkError(t *testing.T, row contractRow, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*tier.WriteError](err)
	require.True(t, ok)
	outcomes := []string{"tiercache.l1.outcome=" + e.L1.Outcome.String(), "tiercache.l2.outcome=" + e.L2.Outcome.String()}
	assert.Equal(t, finalOutcomes(row), outcomes)
	open := strings.Contains(row.event, "open")
	assert.Equal(t, open, errors.Is(err, tiercache.ErrInconsistent))
	assert.NoError(t, e.Cause)
	for _, call := range row.calls {
		f := strings.Fields(call)
		if f[2] != "applied" {
			assert.Contains(t, err.Error(), f[1]+" "+f[0]+" "+f[2])
		}
	}
	assert.NotContains(t, err.Error(), secretKey)
	assert.Contains(t, err.Error(), "tiercache: "+row.op)
}

package tiercache_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// contractErrors are the errors that tiers fail with: by the word in the column
// "cause", the error.type and the text, in which the key is redacted.
var contractErrors = map[string][2]string{
	"refused": {"error.type=_OTHER", "refused"},
	"lost":    {"error.type=lost", "connection lost while writing [key]"},
}

// expected is a row of the table in full.
type expected struct {
	tree    string
	metrics []string
	event   string // its attributes
}

// expectedOf writes a row in full. It knows the form of telemetry, and takes its
// content from the row.
func expectedOf(row contractRow, err error) expected {
	about := attributes{"cache.name": "users", "operation.name": row.op}
	e := expected{}
	if row.event != nil {
		e.event = about.with(attributes{
			"policy.name": row.policy, "inconsistency.stale_tier": row.event.stale,
			"inconsistency.compensation": row.event.compensation, "inconsistency.resolved": fmt.Sprint(row.event.resolved), "cause": row.cause,
			"l1.outcome": strings.TrimPrefix(row.outcomes[0], "~"), "l2.outcome": strings.TrimPrefix(row.outcomes[1], "~"),
		}).String()
		e.metrics = append(e.metrics, "tiercache.inconsistencies {inconsistency} value=1 "+about.with(attributes{
			"inconsistency.resolved": fmt.Sprint(row.event.resolved), "inconsistency.stale_tier": row.event.stale,
		}).String())
	}
	eventOn := func(span, indent string) string {
		if row.event == nil || row.event.span != span {
			return ""
		}
		return indent + "! tiercache.inconsistency " + e.event + "\n"
	}

	duration := about.with(attributes{"policy.name": row.policy})
	head, description := row.op+" users (internal)", ""
	if err != nil {
		duration["cause"] = row.cause
		head, description = head+" Error", fmt.Sprintf("    %q\n", err.Error())
	}
	op := duration.with(attributes{"consistent": fmt.Sprint(row.event == nil || row.event.resolved)})
	for i, name := range []string{"l1.outcome", "l2.outcome"} {
		if outcome, late := strings.CutPrefix(row.outcomes[i], "~"); late {
			delete(op, "consistent")
		} else {
			op[name] = outcome
		}
	}
	e.tree = "caller (internal)\n  " + head + " " + op.String() + "\n" + description + eventOn(row.op+" users", "    ")
	e.metrics = append(e.metrics, "tiercache.operation.duration s count=1 "+duration.String())
	for _, call := range row.calls {
		words := strings.Fields(call) // kind, tier, outcome
		name := words[0] + " users " + words[1]
		lines, metric := expectedCall(words[0], words[1], words[2], row.event != nil && row.event.span == name)
		e.tree += lines + eventOn(name, "      ")
		e.metrics = append(e.metrics, metric)
	}
	slices.Sort(e.metrics)
	return e
}

// expectedCall writes the call of a tier. One that has an event ended later than
// its operation.
func expectedCall(kind, tier, outcome string, hasEvent bool) (lines, metric string) {
	attrs := attributes{"cache.name": "users", "operation.name": kind, "outcome": outcome, "tier.name": tier}
	status, description := "", ""
	if cause := map[string]string{"failed": "refused", "unknown": "lost"}[outcome]; cause != "" {
		attrs["cause"] = cause
		status = " Error"
		description = fmt.Sprintf("      %q\n", tier+" "+kind+" "+outcome+": "+contractErrors[cause][1])
	}
	metric = "tiercache.tier.operation.duration s count=1 " + attrs.String()
	spanKind, store := "internal", ""
	if tier == "l2" {
		spanKind, store = "client", "db.system.name=fake server.address=fake.example server.port=6379 "
	}
	if hasEvent {
		attrs["consistent"] = "false"
	}
	all := strings.Fields(store + attrs.String())
	slices.Sort(all)
	return fmt.Sprintf("    %s users %s (%s)%s %s\n%s", kind, tier, spanKind, status, strings.Join(all, " "), description), metric
}

// attributes are those of the library, without their prefix. The cause is the
// error.type, by a word of the table.
type attributes map[string]string

func (a attributes) with(more attributes) attributes {
	all := maps.Clone(a)
	maps.Copy(all, more)
	return all
}

// String returns them sorted, with their prefix.
func (a attributes) String() string {
	var all []string
	for k, v := range a {
		if k == "cause" {
			all = append(all, contractErrors[v][0])
		} else {
			all = append(all, "tiercache."+k+"="+v)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// checkEvent finds the event once as a log record, once in slog and once at the
// hook, or nowhere.
func checkEvent(t *testing.T, c *recorder, row contractRow, event string) {
	t.Helper()
	if row.event == nil {
		assert.Empty(t, c.Records())
		assert.Empty(t, c.slog.String())
		assert.Empty(t, c.Inconsistencies())
		return
	}
	severity := "ERROR"
	if row.event.resolved {
		severity = "WARN"
	}
	require.Len(t, c.Records(), 1)
	r := c.Records()[0]
	assert.Equal(t, tracing.EventInconsistency, r.EventName())
	assert.Equal(t, severity, r.Severity().String())
	assert.Equal(t, severity, r.SeverityText())
	assert.False(t, r.Timestamp().IsZero())
	cause := tiercachetest.RecordError(r)
	assert.Equal(t, event, tiercachetest.RecordAttributes(r))
	assert.Equal(t, row.cause != "-", cause != "", "the record has the cause, because its trace may not be sampled")
	i := slices.IndexFunc(c.Spans(), func(s sdktrace.ReadOnlySpan) bool { return s.Name() == row.event.span })
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, c.Spans()[i].SpanContext().SpanID(), r.SpanID())
	assert.Equal(t, c.Spans()[i].SpanContext().TraceID(), r.TraceID())

	require.Equal(t, 1, strings.Count(c.slog.String(), "\n"))
	assert.Contains(t, c.slog.String(), "level="+severity)
	for kv := range strings.FieldsSeq(event) {
		assert.Contains(t, c.slog.String(), kv)
	}
	require.Len(t, c.Inconsistencies(), 1)
	hook := c.Inconsistencies()[0]
	assert.Equal(t, secretKey, hook.Key)
	assert.Equal(t, row.event.resolved, hook.Verdict.Resolved)
	assert.Equal(t, row.event.stale, hook.Verdict.Stale.String())
	if cause != "" {
		assert.Equal(t, hook.Err().Error(), cause)
		assert.Contains(t, c.slog.String(), "error="+strconv.Quote(cause))
	}
}

// checkError compares the error with the spans.
func checkError(t *testing.T, row contractRow, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*tier.WriteError](err)
	require.True(t, ok)
	outcomes := []string{e.L1.Outcome.String(), e.L2.Outcome.String()}
	assert.Equal(t, row.outcomes, outcomes)
	assert.Equal(t, row.event != nil && !row.event.resolved, errors.Is(err, tiercache.ErrInconsistent))
	assert.NoError(t, e.Cause)
	for _, call := range row.calls {
		words := strings.Fields(call)
		if words[2] != "applied" {
			assert.Contains(t, err.Error(), words[1]+" "+words[0]+" "+words[2])
		}
	}
	assert.NotContains(t, err.Error(), secretKey)
	assert.Contains(t, err.Error(), "tiercache: "+row.op)
}

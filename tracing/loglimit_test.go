package tracing_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/log"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"

	"github.com/tiercache/tiercache"
)

// A thousand writes fail in one second. Only the logs are limited.
func TestWithLogLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy   writepolicy.Policy
		severity log.Severity
		level    string
	}{
		"not resolved": {writepolicy.Sequential(), log.SeverityError, "ERROR"},
		"resolved":     {writepolicy.Sequential(writepolicy.InvalidateL1()), log.SeverityWarn, "WARN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rec, text := tiercachetest.NewRecorder(), new(bytes.Buffer)
				f := tiercachetest.New[string](t, append(rec.Options(tracing.WithLogLimit(10), tracing.WithSlog(slog.New(slog.NewTextHandler(text, nil)))),
					tiercache.WithWritePolicy(test.policy))...)
				f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
				write := func() {
					var wg sync.WaitGroup
					for range 1000 {
						wg.Go(func() { assert.Error(t, f.Set(t.Context(), "k", "v", 0)) })
					}
					wg.Wait()
				}
				write()
				require.Len(t, rec.Records(), 10)
				time.Sleep(time.Second)
				synctest.Wait()
				require.Len(t, rec.Records(), 11)
				summary := rec.Records()[10]
				assert.Equal(t, tracing.EventInconsistencySummary, summary.EventName())
				assert.Equal(t, test.severity, summary.Severity())
				assert.Equal(t, "users: 990 more inconsistencies within a second are not logged one by one", summary.Body().AsString())
				assert.Contains(t, tiercachetest.RecordAttributes(summary), "tiercache.inconsistency.suppressed=990")
				assert.Equal(t, 11, strings.Count(text.String(), "level="+test.level))
				assert.Contains(t, text.String(), "event=tiercache.inconsistency.summary")
				assert.Len(t, rec.Inconsistencies(), 1000, "the hook is complete")
				assert.Equal(t, 1000, strings.Count(rec.Tree(), "! tiercache.inconsistency"), "and so are the spans")

				time.Sleep(time.Hour)
				assert.Len(t, rec.Records(), 11, "a quiet second has no summary")
				write()
				require.NoError(t, f.Close(t.Context()))
				assert.Len(t, rec.Records(), 22, "Close does not lose the last one")
			})
		})
	}
}

// Without the option every inconsistency is logged.
func TestWithLogLimit_Off(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{-1, 0} {
		rec := tiercachetest.NewRecorder()
		f := tiercachetest.New[string](t, rec.Options(tracing.WithLogLimit(limit))...)
		f.L2.Always(tier.Set, backendtest.FailBefore(errRefused))
		for range 100 {
			require.Error(t, f.Set(t.Context(), "k", "v", 0))
		}
		assert.Len(t, rec.Records(), 100)
	}
}

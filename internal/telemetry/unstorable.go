package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/log"

	"github.com/tiercache/tiercache/tracing"
)

// Unstorable counts a loaded value that a tier can never store. The first one of a cache
// is logged too: a fault of the program repeats itself at every load.
func (t *Telemetry) Unstorable(ctx context.Context, key string, cause error) {
	if t.meters != nil {
		t.meters.counts.add(unstorable)
	}
	if !t.logs() || t.told.Swap(true) {
		return
	}
	attrs := attributes{tracing.AttrCache.String(t.target.Cache), errorType(cause)}
	if t.key != nil {
		if shown := formatKey(t.key, key); shown != "" {
			attrs = append(attrs, tracing.AttrKey.String(shown))
		}
	}
	t.log(ctx, &logLine{
		event:    tracing.EventUnstorableValue,
		at:       time.Now(),
		severity: log.SeverityWarn,
		text:     t.target.Cache + ": a tier cannot store a loaded value; further ones are only counted",
		cause:    cause,
		attrs:    attrs,
	})
}

package telemetry

import (
	"context"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// Update is the telemetry of one update of a value.
type Update struct{ operation }

// StartUpdate begins to observe an update and returns the context for all that belongs
// to it. The zero Update is ready.
func (t *Telemetry) StartUpdate(ctx context.Context, u *Update, key string) context.Context {
	return u.begin(ctx, t, tier.Update, key)
}

// Returned notes how often the update was tried, and its error, and ends it.
func (u *Update) Returned(ctx context.Context, attempts int, err error) {
	if u.span != nil {
		defer u.describeEnd(attempts, err) // even if measuring ends the goroutine
	}
	u.measure(ctx, err)
}

func (u *Update) describeEnd(attempts int, err error) {
	defer endSpan(u.span)
	setAttributes(u.span, tracing.AttrAttempts.Int(attempts))
	u.setDurations()
	if err != nil {
		failStack(u.span, err)
	}
}

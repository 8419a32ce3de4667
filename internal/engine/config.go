package engine

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// Config is an engine's configuration. It has been validated.
type Config struct {
	Name         string
	WritePolicy  writepolicy.Policy
	WriteTimeout time.Duration
	Certain      func(err error) bool
	Hook         func(ctx context.Context, i tier.Inconsistency) // nil: none
	Telemetry    []tracing.Option

	ReadPolicy   readpolicy.Policy
	ReadTimeout  time.Duration
	NoRefill     bool
	L1TTL        time.Duration // 0: no limit
	L1Jitter     float64
	NegativeTTL  time.Duration // 0: nothing is remembered
	StaleIfError time.Duration // 0: no stale values
	MaxRefillTTL time.Duration // 0: no limit
	RefreshAhead float64       // 0: none
	L1HitSpans   bool

	SoftTimeout       time.Duration        // after which a stale value is returned; 0: never
	BackgroundTimeout time.Duration        // of loads that nobody waits for
	AsyncLoadWrites   bool                 // loaded values are returned before they are written
	KeepLoaded        time.Duration        // of loaded values that L2 did not take, in L1; 0: not at all
	ConditionalLoads  bool                 // loaded values are written only if L2 is as it was
	MaxLoads          int                  // under way at once; 0: no limit
	NotFound          func(err error) bool // more errors of loaders that say so; nil: none

	Coherence    Coherence
	DropDiverged bool // L1 drops its copy when the tiers differ
	ScrubRate    int  // entries of L1 that are compared with L2 in a second; 0: none

	SourceVersion any // a func(V) uint64; nil: values have no version of their source
}

// century stands for every longer duration: sums of a few of them overflow neither a
// [time.Duration] nor the years that stores know.
const century = 100 * 365 * 24 * time.Hour

// withinACentury returns c with no duration that is longer.
func (c Config) withinACentury() Config {
	for _, d := range []*time.Duration{
		&c.WriteTimeout, &c.ReadTimeout, &c.BackgroundTimeout, &c.SoftTimeout, &c.L1TTL, &c.NegativeTTL,
		&c.StaleIfError, &c.MaxRefillTTL, &c.KeepLoaded, &c.Coherence.Bound,
	} {
		*d = min(*d, century)
	}
	return c
}

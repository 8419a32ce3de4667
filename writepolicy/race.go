package writepolicy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tiercache/tiercache/internal/builtin"
	"github.com/tiercache/tiercache/tier"
)

// DefaultMaxDetached is how many detached writes a [Race] allows by default.
const DefaultMaxDetached = 128

// RaceOption is an option of [Race].
type RaceOption interface{ applyRace(raceConfig) raceConfig }

// MaxDetached limits how many writes of the losing tier may go on after the policy has returned. A
// write counts from its beginning; one that would exceed the limit waits for both tiers, even with
// [CancelLoser]. Zero makes every write wait; tiercache.New refuses a negative number. Default:
// [DefaultMaxDetached].
func MaxDetached(n int) RaceOption { return maxDetached(n) }

type maxDetached int

func (n maxDetached) applyRace(c raceConfig) raceConfig {
	c.maxDetached = int64(n)
	return c
}

// CancelLoser makes Race cancel the losing tier's write once the other tier has applied it. The
// outcome of the loser is unknown if its write had begun, and skipped otherwise. The tiers may then
// differ, and the cache reports that.
func CancelLoser() RaceOption { return cancelLoser{} }

type cancelLoser struct{}

func (cancelLoser) applyRace(c raceConfig) raceConfig {
	c.cancelLoser = true
	return c
}

// Race writes both tiers at once. For a Set it returns nil as soon as one of them has
// applied the write. The other goes on, detached: the next writer of the key waits for
// it, and Close does. When both fail, both errors are returned. A Delete waits for both
// tiers, and both must apply it, because only then is it certain that neither has a
// copy.
//
// A Race counts its detached writes, so caches that share one share the limit.
// It is safe for concurrent use.
func Race(opts ...RaceOption) Policy {
	c := raceConfig{maxDetached: DefaultMaxDetached}
	for _, o := range opts {
		if o != nil {
			c = o.applyRace(c)
		}
	}
	return &race{raceConfig: c}
}

type raceConfig struct {
	maxDetached int64
	cancelLoser bool
}

type race struct {
	builtin.Mark
	raceConfig
	detached atomic.Int64 // operations with a write that may go on after they return
}

func (*race) Name() string { return "race" }

func (*race) OnL1() builtin.Effect { return builtin.Stores }

func (r *race) Validate() error {
	if r.maxDetached < 0 {
		return fmt.Errorf("writepolicy: MaxDetached(%d) is negative: use 0 to wait for both tiers", r.maxDetached)
	}
	return nil
}

func (r *race) Write(ctx context.Context, op Op, l1, l2 Tier) error {
	if op.Kind == tier.Delete {
		return errors.Join(both(ctx, l1, l2))
	}
	if r.detached.Add(1) > r.maxDetached {
		r.detached.Add(-1)
		return optimistic{}.Write(ctx, op, l1, l2)
	}
	first, second := r.start(ctx, l1, l2)
	if err := <-first; err != nil {
		if other := <-second; other != nil {
			return errors.Join(err, other)
		}
	}
	return nil
}

// start begins both writes. The first channel brings the error of the first to
// end, the second that of the other.
func (r *race) start(ctx context.Context, l1, l2 Tier) (first, second <-chan error) {
	ctx, cancel := context.WithCancel(ctx)
	winner, loser := make(chan error, 1), make(chan error, 1)
	var ended atomic.Int32
	done := func(err error) {
		if r.cancelLoser && err == nil {
			cancel()
		}
		if ended.Add(1) == 1 {
			winner <- err
			return
		}
		r.detached.Add(-1)
		cancel()
		loser <- err
	}
	if r.cancelLoser {
		l1.Go(ctx, done) // in the process it ends here, and L2 is not called
		l2.Go(ctx, done)
	} else {
		l2.Go(ctx, done) // first, because it takes longer; so a batch calls it once for all keys
		l1.Go(ctx, done)
	}
	return winner, loser
}

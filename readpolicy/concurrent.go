package readpolicy

import (
	"context"
	"errors"
	"time"
)

// RaceOption is an option of [Race].
type RaceOption interface{ applyRace(race) race }

// CancelLoser makes [Race] end the context of the slower tier's read once the
// faster one has a hit. Default: it goes on, and Close waits for it.
func CancelLoser() RaceOption { return cancelLoser{} }

type cancelLoser struct{}

func (cancelLoser) applyRace(r race) race {
	r.cancelLoser = true
	return r
}

// Race asks both tiers at once, and the first hit wins. A miss or an error of
// the faster tier makes it wait for the other one. It is safe for concurrent
// use.
func Race(opts ...RaceOption) Policy {
	var r race
	for _, o := range opts {
		if o != nil {
			r = o.applyRace(r)
		}
	}
	return r
}

type race struct{ cancelLoser bool }

func (race) Name() string { return "race" }

func (r race) Read(ctx context.Context, l1, l2 Tier) (choice Choice, err error) {
	if r.cancelLoser {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	results := make(chan result, 2)
	ask(ctx, l1, L1, results)
	ask(ctx, l2, L2, results)
	first := <-results
	if first.hit() {
		return first.tier, nil
	}
	second := <-results
	if second.hit() {
		return second.tier, nil
	}
	if first.tier == L2 {
		first, second = second, first
	}
	return None, errors.Join(first.err, second.err)
}

// Parallel asks both tiers at once and waits for both. Of two hits, the one with
// the longer remaining life wins; a life without end is the longest; in a tie L1
// wins. Where L1 keeps entries for a shorter time than L2, as under a limit for
// lives in L1, that makes L2 win every time. It is safe for concurrent use.
func Parallel() Policy { return parallel{} }

type parallel struct{}

func (parallel) Name() string { return "parallel" }

func (parallel) Read(ctx context.Context, l1, l2 Tier) (choice Choice, err error) {
	results := make(chan result, 1)
	ask(ctx, l2, L2, results)
	a1, err1 := l1.Read(ctx)
	r1, r2 := result{L1, a1, err1}, <-results
	switch {
	case r1.hit() && (!r2.hit() || !outlives(r2.answer.ExpiresAt, r1.answer.ExpiresAt)):
		return L1, nil
	case r2.hit():
		return L2, nil
	default:
		return None, errors.Join(r1.err, r2.err)
	}
}

// outlives reports whether a life that ends at a is longer than one that ends
// at b.
func outlives(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

// result is an answer and whose it is.
type result struct {
	tier   Choice
	answer Answer
	err    error
}

func (r result) hit() bool { return r.err == nil && r.answer.Hit }

func ask(ctx context.Context, t Tier, id Choice, results chan<- result) {
	t.Go(ctx, func(a Answer, err error) { results <- result{id, a, err} })
}

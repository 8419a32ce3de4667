package writepolicy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// outcomes are those of a call that was made.
var outcomes = []tier.Outcome{tier.Applied, tier.Failed, tier.Unknown}

// fakeTier is a tier whose calls have the outcomes that a test sets.
type fakeTier struct {
	journal     *journal
	id          tier.ID
	write, drop tier.Outcome
	hold        chan struct{} // until it is closed, writes wait; nil: they do not
	prompt      bool          // Go returns only after the write has ended
	holds       bool          // whether it has the value of a Set
}

var _ writepolicy.Tier = (*fakeTier)(nil)

// journal lists the calls in the order of their begins.
type journal struct {
	mu    sync.Mutex
	calls []string
	errs  map[string]error
}

func newTiers(l1, l2 tier.Outcome) (first, second *fakeTier) {
	j := &journal{errs: make(map[string]error)}
	first = &fakeTier{journal: j, id: tier.L1, write: l1, drop: tier.Applied}
	second = &fakeTier{journal: j, id: tier.L2, write: l2, drop: tier.Applied}
	return first, second
}

func (f *fakeTier) Write(ctx context.Context) error {
	f.note("write")
	return f.end(ctx, "write", f.write)
}

func (f *fakeTier) Go(ctx context.Context, done func(err error)) {
	f.note("write")
	var wg sync.WaitGroup
	wg.Go(func() { done(f.end(ctx, "write", f.write)) })
	if f.prompt {
		wg.Wait()
	}
}

func (f *fakeTier) Compensate(ctx context.Context) error { return f.Drop(ctx) }

func (f *fakeTier) Drop(ctx context.Context) error {
	f.note("drop")
	return f.end(ctx, "drop", f.drop)
}

func (f *fakeTier) note(call string) {
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	f.journal.calls = append(f.journal.calls, f.id.String()+"."+call)
}

func (f *fakeTier) end(ctx context.Context, call string, outcome tier.Outcome) error {
	cause := errors.New("scripted")
	if ctx.Err() != nil {
		outcome, cause = tier.Skipped, context.Cause(ctx)
	} else if f.hold != nil && call == "write" {
		select {
		case <-f.hold:
		case <-ctx.Done():
			outcome, cause = tier.Unknown, context.Cause(ctx)
		}
	}
	f.journal.mu.Lock()
	defer f.journal.mu.Unlock()
	if outcome == tier.Applied {
		f.holds = call == "write"
		return nil
	}
	err := &tier.Error{Tier: f.id, Call: call, Result: outcome, Err: cause}
	f.journal.errs[f.id.String()+"."+call] = err
	return err
}

// made returns the calls so far, separated by spaces.
func (j *journal) made() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.calls, " ")
}

// in returns the calls whose errors err contains, separated by spaces: those of
// L1 before those of L2, writes before drops.
func (j *journal) in(err error) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var calls []string
	for _, call := range []string{"l1.write", "l2.write", "l1.drop", "l2.drop"} {
		if e := j.errs[call]; e != nil && errors.Is(err, e) {
			calls = append(calls, call)
		}
	}
	return strings.Join(calls, " ")
}

// outcome returns that of a tier's write.
func (j *journal) outcome(call string) tier.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	return tier.OutcomeOf(j.errs[call])
}

func op(kind tier.Kind) writepolicy.Op {
	return writepolicy.Op{Kind: kind, Key: "key"}
}

// describe names a combination of outcomes for a subtest.
func describe(kind tier.Kind, l1, l2, drop tier.Outcome) string {
	return fmt.Sprintf("%v, l1 %v, l2 %v, drop %v", kind, l1, l2, drop)
}

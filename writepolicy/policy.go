package writepolicy

import "context"

// Tier is one tier, bound to one operation. It is safe for concurrent use.
//
// Its errors are [*TierError]s; [OutcomeOf] tells the outcome. The calls never
// panic, and they end by themselves: a policy need not add a timeout. A context
// that has ended makes them return at once, as skipped.
type Tier interface {
	// Write makes the operation's write in the tier: sets or deletes the entry.
	Write(ctx context.Context) error

	// Go begins Write in a goroutine of the cache and returns. When the write
	// has ended, done is called with its error, in that goroutine; it must
	// neither block nor use the tiers. The write may go on, detached, after the
	// policy has answered: the key stays taken, and Close waits, until it ends.
	Go(ctx context.Context, done func(err error))

	// Invalidate drops the tier's copy, so that it cannot be stale. It is the
	// compensation for a write that did not reach the other tier. Where the
	// tier itself was not written and the other one applied the write, it is
	// the tier's part of the write, as in [WriteAround].
	Invalidate(ctx context.Context) error
}

// Policy writes the two tiers of a cache.
//
// Implementations must be safe for concurrent use; the cache never calls Write
// for two operations on one key at once.
type Policy interface {
	// Write writes the tiers and returns nil when the operation counts as a
	// success. Otherwise it returns the tiers' errors, joined if there are
	// several; the cache builds its [*Error] from the outcomes that it saw.
	//
	// Write must return an error when no tier applied the write, and when a
	// Delete left a copy in either tier. It should pass on ctx, or a context
	// derived from it, to the tiers: ctx carries the trace and does not end
	// with the caller's. Once it has returned it must not call a tier any more,
	// but writes that it began with [Tier.Go] may go on; for a Delete the cache
	// waits for them before it answers.
	Write(ctx context.Context, op Op, l1, l2 Tier) error
}

// PolicyFunc is a function that is a [Policy].
type PolicyFunc func(ctx context.Context, op Op, l1, l2 Tier) error

var _ Policy = PolicyFunc(nil)

// Write calls f.
func (f PolicyFunc) Write(ctx context.Context, op Op, l1, l2 Tier) error {
	return f(ctx, op, l1, l2)
}

// Named is a [Policy] that has a name for telemetry and errors. Names should be
// in snake case.
type Named interface {
	// Name returns the policy's name, always the same one.
	Name() string
}

// Validator is a [Policy] that was made with options and can say what is wrong
// with them. A cache asks when it is made.
type Validator interface {
	// Validate returns an error that says which option is wrong and what it
	// should be, or nil.
	Validate() error
}

// NameOf returns the policy's name, or "custom" when it is not [Named].
func NameOf(p Policy) string {
	if n, ok := p.(Named); ok {
		return n.Name()
	}
	return "custom"
}

// WithName returns p under another name. It is meant for a [PolicyFunc].
func WithName(name string, p Policy) Policy { return named{Policy: p, name: name} }

type named struct {
	Policy
	name string
}

func (n named) Name() string { return n.name }

func (n named) Validate() error {
	if v, ok := n.Policy.(Validator); ok {
		return v.Validate()
	}
	return nil
}

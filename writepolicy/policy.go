package writepolicy

import (
	"context"

	"github.com/tiercache/tiercache/internal/builtin"
)

// Tier is one tier, bound to one operation. It is safe for concurrent use.
//
// Its errors are [*tier.Error]s; [tier.OutcomeOf] returns the outcome. The calls
// never panic, and they end by themselves: a policy need not add a timeout. A
// context that has ended makes them return at once, as skipped.
type Tier interface { //nolint:interfacebloat // one method for each verb, and Go
	// Write makes the operation's write in the tier: it stores or removes the entry.
	Write(ctx context.Context) error

	// Go begins Write in a goroutine of the cache and returns. When the write
	// has ended, the cache calls done with its error, in that goroutine; done must
	// neither block nor use the tiers. The write may go on, detached, after the
	// policy has returned: the key stays locked, and Close waits, until it ends.
	// Close waits for done too.
	Go(ctx context.Context, done func(err error))

	// Drop drops the tier's copy, as the tier's part in the write: [WriteAround] writes L2 and
	// drops L1's copy. The outcome of the drop is the outcome of the tier.
	Drop(ctx context.Context) error

	// Compensate drops the tier's copy because the write did not reach the other tier,
	// so that it cannot be stale. Its result does not change the tier's outcome.
	Compensate(ctx context.Context) error
}

// Policy writes the two tiers of a cache.
//
// Implementations must be safe for concurrent use; the cache never calls Write
// for two operations on one key at once. A write of the same key, made with the context
// of Write, returns an error that wraps tiercache.ErrReentrant: it would wait for
// itself. Write must end by itself, because its context does not end.
type Policy interface {
	// Write writes the tiers and returns nil when the operation counts as a
	// success. Otherwise it returns the tiers' errors, joined if there are
	// several; the cache builds its [*tier.WriteError] from the outcomes it saw.
	//
	// Write must return an error when no tier applied the write, and when either tier
	// may still have a copy after a Delete. It should pass on ctx, or a context derived
	// from it, to the tiers: ctx carries the trace and does not end with the caller's.
	// Once it has returned it must not call a tier any more, but writes that it began
	// with [Tier.Go] may go on; for a Delete the cache waits for them before it
	// returns.
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

// Validator is a [Policy] that checks its options. tiercache.New calls it.
type Validator interface {
	// Validate returns an error that names the wrong option and its valid values, or
	// nil.
	Validate() error
}

// NameOf returns the policy's name, or "custom" if it is not [Named].
func NameOf(p Policy) string {
	if n, ok := p.(Named); ok {
		return n.Name()
	}
	return "custom"
}

// WithName returns p under another name. It is meant for a [PolicyFunc].
func WithName(name string, p Policy) Policy {
	n := named{Policy: p, name: name}
	if _, ok := p.(builtin.Marked); ok {
		return builtinNamed{named: n}
	}
	return n
}

type named struct {
	Policy
	name string
}

// builtinNamed is still a policy of this module, which a cache trusts.
type builtinNamed struct {
	named
	builtin.Mark
}

func (n builtinNamed) OnL1() builtin.Effect { return builtin.OnL1(n.Policy) }

func (n named) Name() string { return n.name }

func (n named) Validate() error {
	if v, ok := n.Policy.(Validator); ok {
		return v.Validate()
	}
	return nil
}

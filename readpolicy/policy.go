package readpolicy

import (
	"context"
	"time"
)

// Answer is what a tier has at the key.
type Answer struct {
	// Hit says that the tier has a value.
	Hit bool
	// ExpiresAt is when the life of the value ends; zero: never.
	ExpiresAt time.Time
}

// Tier is one tier, bound to one read. It is safe for concurrent use, and its
// calls never panic. Its errors are *writepolicy.TierErrors.
type Tier interface {
	// Read asks the tier.
	Read(ctx context.Context) (answer Answer, err error)

	// Go begins Read in a goroutine of the cache and returns. Done is called with
	// its result, in that goroutine; it must neither block nor use the tiers. The
	// read may go on after the policy has answered; Close waits until it ends.
	Go(ctx context.Context, done func(answer Answer, err error))
}

// Choice is the tier whose value is the answer.
type Choice uint8

// The choices.
const (
	None Choice = iota // no tier has a value
	L1
	L2
)

// Policy asks the two tiers of a cache. Implementations must be safe for
// concurrent use.
type Policy interface {
	// Read asks the tiers and returns the one whose value is the answer, or None.
	// It may choose only a tier that answered it with a hit.
	//
	// It returns the tiers' errors, joined, when it chooses none, and nil when it
	// chooses a tier. Once it has returned it must not call a tier any more, but
	// reads that it began with [Tier.Go] may go on.
	Read(ctx context.Context, l1, l2 Tier) (choice Choice, err error)
}

// PolicyFunc is a function that is a [Policy].
type PolicyFunc func(ctx context.Context, l1, l2 Tier) (choice Choice, err error)

var _ Policy = PolicyFunc(nil)

// Read calls f.
func (f PolicyFunc) Read(ctx context.Context, l1, l2 Tier) (choice Choice, err error) {
	return f(ctx, l1, l2)
}

// Named is a [Policy] that has a name for telemetry. Names should be in snake
// case.
type Named interface {
	// Name returns the policy's name, always the same one.
	Name() string
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

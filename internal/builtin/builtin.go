// Package builtin marks the policies that this module itself provides.
//
// The cache recycles the tiers of a write only when it knows that the policy does not
// keep them. Nobody else may claim that, so the mark is a method with a parameter that
// only this package can name.
package builtin

// Mark makes the type that embeds it a Marked.
type Mark struct{}

// Builtin marks the type.
func (Mark) Builtin(token) {}

// Marked is implemented by the types that embed Mark, and by no others.
type Marked interface {
	// Builtin marks the type.
	Builtin(mark token)
}

// InOrder makes the type that embeds it an Ordered.
type InOrder struct{ Mark }

// SetsL1ThenL2 marks the type.
func (InOrder) SetsL1ThenL2(token) {}

// Ordered is a policy whose Set begins with a Write of L1. If that returns nil, a Write
// of L2 follows, and if that returns nil too, so does the policy. So a cache may make
// the two calls itself, and call the policy only when one of them has failed, with tiers
// that answer what they have answered already.
type Ordered interface {
	Marked

	// SetsL1ThenL2 marks the type.
	SetsL1ThenL2(mark token)
}

// Effect is what a Set by a policy does to L1.
type Effect uint8

// The effects.
const (
	Depends Effect = iota // on L2, or on a policy that is none of this module
	Stores                // it stores the value, whatever becomes of it in L2, and leaves it there
	Drops                 // it stores nothing
)

// OnL1 returns the effect of p on L1.
func OnL1(p any) Effect {
	e, ok := p.(interface {
		Marked
		OnL1() Effect
	})
	if !ok {
		return Depends
	}
	return e.OnL1()
}

type token struct{}

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

// StoresInL1 reports whether p is a policy of this module by which a Set stores the value in L1,
// whatever becomes of it in L2, and leaves it there.
func StoresInL1(p any) bool {
	s, ok := p.(interface {
		Marked
		StoresInL1() bool
	})
	return ok && s.StoresInL1()
}

// OnlyDropsL1 reports whether p is a policy of this module that never stores a value in L1.
func OnlyDropsL1(p any) bool {
	s, ok := p.(interface {
		Marked
		OnlyDropsL1() bool
	})
	return ok && s.OnlyDropsL1()
}

type token struct{}

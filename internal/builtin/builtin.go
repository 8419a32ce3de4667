// Package builtin marks the policies that this module itself provides.
//
// The cache recycles what it hands to a policy only when it knows that the
// policy does not keep it. That knowledge must not be claimed from outside, so
// the mark is a method with a parameter that only this package can name.
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

type token struct{}

// L1First marks the read policy that asks L1 alone first, so that the cache may
// do that itself, without setting up a read.
type L1First struct{}

// AsksL1First marks the type.
func (L1First) AsksL1First(token) {}

// AsksL1First is implemented by the types that embed L1First, and by no others.
type AsksL1First interface {
	// AsksL1First marks the type.
	AsksL1First(mark token)
}

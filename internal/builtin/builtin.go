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

type token struct{}

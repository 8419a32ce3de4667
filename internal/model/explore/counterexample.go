package explore

import (
	"fmt"
	"strings"
)

// Counterexample is a way from the start to a state that violates the invariant.
type Counterexample[S comparable] struct {
	Path   []Visit[S]
	Reason string // of the invariant
}

// Visit is a step and the state after it.
type Visit[S comparable] struct {
	Step  string
	State S
}

// String lists the steps, numbered from 1. A state that is a [fmt.Stringer] is shown
// beside its step.
func (c *Counterexample[S]) String() string {
	if c == nil {
		return "no counterexample"
	}
	width := 0
	for _, v := range c.Path {
		width = max(width, len(v.Step))
	}
	var b strings.Builder
	for i, v := range c.Path {
		if s, ok := any(v.State).(fmt.Stringer); ok {
			fmt.Fprintf(&b, "%2d. %-*s  %s\n", i+1, width, v.Step, s)
		} else {
			fmt.Fprintf(&b, "%2d. %s\n", i+1, v.Step)
		}
	}
	fmt.Fprintf(&b, "    violated: %s\n", c.Reason)
	return b.String()
}

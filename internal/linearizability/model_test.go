package linearizability

import (
	"fmt"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// kind is the effect of a call on its register, as far as the caller can know.
type kind int

const (
	read   kind = iota // found value
	write              // put value there; a Delete puts nothing
	load               // found nothing, and may have put value there
	shared             // found nothing, or value
)

// nothing is the value of an empty register.
const nothing = ""

// step is one call. Porcupine calls it an input; the answer is part of it.
type step struct {
	kind  kind
	key   string
	value string

	// maybe says that the step may not have happened: the caller got an error
	// that does not rule it out, or no answer.
	maybe bool
}

// never is the return time of a step that may take effect at any later time.
const never = math.MaxInt64

// next returns the values that the register may have after s. There are none
// when s cannot have happened to a register that holds value.
func (s step) next(value string) []string {
	switch {
	case s.kind == read && value == s.value:
		return []string{value}
	case s.kind == write && s.maybe:
		return []string{value, s.value}
	case s.kind == write:
		return []string{s.value}
	case s.kind == load && value == nothing:
		return []string{nothing, s.value}
	case s.kind == load && s.maybe:
		return []string{value}
	case s.kind == shared && (value == nothing || value == s.value):
		return []string{value}
	default:
		return nil
	}
}

// String describes s in a history.
func (s step) String() string {
	text := [...]string{"read", "write", "load", "share"}[s.kind] + fmt.Sprintf(" %s %q", s.key, s.value)
	if s.maybe {
		text += " (maybe)"
	}
	return text
}

// model is that of independent registers, all of them empty at first.
func model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: partition,
		Init:      func() []any { return []any{nothing} },
		Step: func(state, input, _ any) (states []any) {
			for _, v := range input.(step).next(state.(string)) {
				states = append(states, v)
			}
			return states
		},
		DescribeOperation: func(input, _ any) string { return input.(step).String() },
	}
	return m.ToModel()
}

// partition splits a history by key.
func partition(history []porcupine.Operation) (parts [][]porcupine.Operation) {
	byKey := make(map[string][]porcupine.Operation)
	var keys []string
	for _, op := range history {
		key := op.Input.(step).key
		if byKey[key] == nil {
			keys = append(keys, key)
		}
		byKey[key] = append(byKey[key], op)
	}
	slices.Sort(keys)
	for _, key := range keys {
		parts = append(parts, byKey[key])
	}
	return parts
}

// linearizable reports whether a history has an explanation.
func linearizable(history []porcupine.Operation) bool {
	return porcupine.CheckOperations(model(), history)
}

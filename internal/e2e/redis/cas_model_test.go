package redis_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
)

// casStep is one call of a history: the register was from, unless any value will do, and
// is to afterwards.
type casStep struct {
	key      string
	from, to string // "": nothing
	any      bool   // the call does not depend on the value before: from counts for nothing
	refused  bool   // the call found something, from, and changed nothing

	// maybe says that the step may not have happened, or may happen later: the caller
	// was told that the outcome is unknown.
	maybe bool
}

// never is the return time of a step that may take effect at any later time.
const never = math.MaxInt64

// next returns the values that the register may have after s, which met value.
func (s casStep) next(value string) (values []string) {
	if s.maybe {
		values = append(values, value)
	}
	switch {
	case s.refused && value == s.from && value != "":
		return append(values, value)
	case !s.refused && (s.any || value == s.from):
		return append(values, s.to)
	default:
		return values
	}
}

// String describes s in a history.
func (s casStep) String() string {
	text := fmt.Sprintf("%s: %q to %q", s.key, s.from, s.to)
	switch {
	case s.refused:
		text = fmt.Sprintf("%s: refused by %q", s.key, s.from)
	case s.any:
		text = fmt.Sprintf("%s: to %q", s.key, s.to)
	}
	if s.maybe {
		text += " (maybe)"
	}
	return text
}

// explained reports whether registers that were empty at first can have been through a
// history.
func explained(history []porcupine.Operation) bool {
	byKey := make(map[string][]porcupine.Operation)
	for _, op := range history {
		key := op.Input.(casStep).key
		byKey[key] = append(byKey[key], op)
	}
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{""} },
		Step: func(state, input, _ any) (states []any) {
			for _, v := range input.(casStep).next(state.(string)) {
				states = append(states, v)
			}
			return states
		},
	}
	for _, part := range byKey {
		if !porcupine.CheckOperations(m.ToModel(), part) {
			return false
		}
	}
	return true
}

// describeHistory prints a history, a line for each call.
func describeHistory(history []porcupine.Operation) string {
	history = slices.SortedFunc(slices.Values(history), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var b strings.Builder
	for _, op := range history {
		end := fmt.Sprint(op.Return)
		if op.Return == never {
			end = "∞"
		}
		fmt.Fprintf(&b, "%4d–%-4s client %d: %v\n", op.Call, end, op.ClientId, op.Input)
	}
	return b.String()
}

// The model accepts valid histories, and nothing else.
func TestCAS_Model(t *testing.T) {
	t.Parallel()
	at := func(call, end int64, s casStep) porcupine.Operation {
		return porcupine.Operation{Input: s, Call: call, Return: end}
	}
	add := func(from, to string) casStep { return casStep{from: from, to: to} }
	set := func(to string) casStep { return casStep{to: to, any: true} }
	refusedBy := func(from string) casStep { return casStep{from: from, refused: true} }
	maybe := func(s casStep) casStep { s.maybe = true; return s }
	for name, row := range map[string]struct {
		want    bool
		history []porcupine.Operation
	}{
		"one after the other":         {true, []porcupine.Operation{at(1, 4, add("", "a")), at(2, 3, add("a", "b"))}},
		"a lost addition":             {false, []porcupine.Operation{at(1, 4, add("", "a")), at(2, 3, add("", "b"))}},
		"two stored if absent":        {false, []porcupine.Operation{at(1, 2, add("", "a")), at(3, 4, add("", "b"))}},
		"refused by the winner":       {true, []porcupine.Operation{at(1, 4, add("", "a")), at(2, 3, refusedBy("a"))}},
		"refused by nobody":           {false, []porcupine.Operation{at(2, 3, refusedBy(""))}},
		"a set in between":            {false, []porcupine.Operation{at(1, 2, add("", "a")), at(3, 4, set("b")), at(5, 6, add("a", "c"))}},
		"unknown, and it happened":    {true, []porcupine.Operation{at(1, never, maybe(add("", "a"))), at(2, 3, add("a", "b"))}},
		"unknown, and it did not":     {true, []porcupine.Operation{at(1, never, maybe(add("", "a"))), at(2, 3, add("", "b"))}},
		"unknown never skips a check": {false, []porcupine.Operation{at(1, never, maybe(add("x", "a"))), at(2, 3, add("a", "b"))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, explained(row.history), describeHistory(row.history))
		})
	}
}

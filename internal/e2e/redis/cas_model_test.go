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

// casStep is one call of a history: the register was From, unless any value will do, and
// is To afterwards.
type casStep struct {
	Key      string
	From, To string // "": nothing
	Any      bool   // the call does not depend on the value before: From counts for nothing
	Refused  bool   // the call found something, From, and changed nothing

	// Maybe says that the step may not have happened, or may happen later: the caller
	// was told that the outcome is unknown.
	Maybe bool
}

// casCall is a call of a client, and when it began and ended by the clock that processes
// share.
type casCall struct {
	Process, Client int
	Step            casStep
	Begin, End      int64
}

// never is the end of a step that may take effect at any later time.
const never = math.MaxInt64

// next returns the values that the register may have after s, which met value.
func (s casStep) next(value string) (values []string) {
	if s.Maybe {
		values = append(values, value)
	}
	switch {
	case s.Refused && value == s.From && value != "":
		return append(values, value)
	case !s.Refused && (s.Any || value == s.From):
		return append(values, s.To)
	default:
		return values
	}
}

// String describes s in a history.
func (s casStep) String() string {
	text := fmt.Sprintf("%s: %q to %q", s.Key, s.From, s.To)
	switch {
	case s.Refused:
		text = fmt.Sprintf("%s: refused by %q", s.Key, s.From)
	case s.Any:
		text = fmt.Sprintf("%s: to %q", s.Key, s.To)
	}
	if s.Maybe {
		text += " (maybe)"
	}
	return text
}

// casHistory is calls of several clients, in any order.
type casHistory []casCall

// explained reports whether registers that were empty at first can have been through h.
func (h casHistory) explained() bool {
	byKey := make(map[string][]porcupine.Operation)
	for _, c := range h {
		byKey[c.Step.Key] = append(byKey[c.Step.Key], porcupine.Operation{Input: c.Step, Call: c.Begin, Return: c.End})
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

// unknown returns how many calls were told that their outcome is unknown.
func (h casHistory) unknown() (n int) {
	for _, c := range h {
		if c.Step.Maybe {
			n++
		}
	}
	return n
}

// met returns how many calls were made while another process made one of the same key.
func (h casHistory) met() (n int) {
	for _, a := range h {
		if slices.ContainsFunc(h, func(b casCall) bool {
			return a.Process != b.Process && a.Step.Key == b.Step.Key && a.Begin < b.End && b.Begin < a.End
		}) {
			n++
		}
	}
	return n
}

// String prints h, a line for each call, with times in µs.
func (h casHistory) String() string {
	h = slices.SortedFunc(slices.Values(h), func(a, b casCall) int { return cmp.Compare(a.Begin, b.Begin) })
	since := func(t int64) string {
		if t == never {
			return "∞"
		}
		return fmt.Sprintf("%.1f", float64(t-h[0].Begin)/1000)
	}
	var b strings.Builder
	for _, c := range h {
		fmt.Fprintf(&b, "%8s to %8s: process %d, client %d: %v\n", since(c.Begin), since(c.End), c.Process, c.Client, c.Step)
	}
	return b.String()
}

// The model accepts valid histories, and nothing else.
func TestCAS_Model(t *testing.T) {
	t.Parallel()
	at := func(begin, end int64, s casStep) casCall {
		return casCall{Step: s, Begin: begin, End: end}
	}
	add := func(from, to string) casStep { return casStep{From: from, To: to} }
	set := func(to string) casStep { return casStep{To: to, Any: true} }
	refusedBy := func(from string) casStep { return casStep{From: from, Refused: true} }
	maybe := func(s casStep) casStep { s.Maybe = true; return s }
	for name, row := range map[string]struct {
		want    bool
		history casHistory
	}{
		"one after the other":         {true, casHistory{at(1, 4, add("", "a")), at(2, 3, add("a", "b"))}},
		"a lost addition":             {false, casHistory{at(1, 4, add("", "a")), at(2, 3, add("", "b"))}},
		"two stored if absent":        {false, casHistory{at(1, 2, add("", "a")), at(3, 4, add("", "b"))}},
		"refused by the winner":       {true, casHistory{at(1, 4, add("", "a")), at(2, 3, refusedBy("a"))}},
		"refused by nobody":           {false, casHistory{at(2, 3, refusedBy(""))}},
		"a set in between":            {false, casHistory{at(1, 2, add("", "a")), at(3, 4, set("b")), at(5, 6, add("a", "c"))}},
		"unknown, and it happened":    {true, casHistory{at(1, never, maybe(add("", "a"))), at(2, 3, add("a", "b"))}},
		"unknown, and it did not":     {true, casHistory{at(1, never, maybe(add("", "a"))), at(2, 3, add("", "b"))}},
		"unknown never skips a check": {false, casHistory{at(1, never, maybe(add("x", "a"))), at(2, 3, add("a", "b"))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, row.history.explained(), row.history)
		})
	}
}

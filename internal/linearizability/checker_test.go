package linearizability

import (
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
)

// at is a call in a history.
func at(call, end int64, s step) porcupine.Operation {
	s.key = key
	return porcupine.Operation{Input: s, Call: call, Return: end}
}

// The model accepts valid histories, and nothing else.
func TestModel(t *testing.T) {
	t.Parallel()
	set := func(v string) step { return step{kind: write, value: v} }
	get := func(v string) step { return step{kind: read, value: v} }
	loaded := step{kind: load, value: "L"}
	joined := step{kind: shared, value: "L"}
	maybe := func(s step) step {
		s.maybe = true
		return s
	}
	type history = []porcupine.Operation
	for name, row := range map[string]struct {
		want    bool
		history history
	}{
		"a register is empty at first": {true, history{at(1, 2, get(nothing))}},
		"a value from nowhere":         {false, history{at(1, 2, get("A"))}},
		"read after write":             {true, history{at(1, 2, set("A")), at(3, 4, get("A"))}},
		"stale read":                   {false, history{at(1, 2, set("A")), at(3, 4, set("B")), at(5, 6, get("A"))}},
		"read of a write under way":    {true, history{at(1, 6, set("A")), at(2, 3, get(nothing)), at(4, 5, get("A"))}},
		"new, then old":                {false, history{at(1, 6, set("A")), at(2, 3, get("A")), at(4, 5, get(nothing))}},
		"a failed write never happens": {true, history{at(1, never, maybe(set("A"))), at(2, 3, get(nothing))}},
		"a failed write happens late": {true, history{
			at(1, never, maybe(set("A"))), at(2, 3, set("B")), at(4, 5, get("B")), at(6, 7, get("A")),
		}},
		"a failed write happens once": {false, history{
			at(1, never, maybe(set("A"))), at(2, 3, get("A")), at(4, 5, set("B")), at(6, 7, get("A")),
		}},
		"a load fills":                {true, history{at(1, 2, loaded), at(3, 4, get("L"))}},
		"a load that was fenced":      {true, history{at(1, 6, loaded), at(2, 3, set("A")), at(7, 8, get("A"))}},
		"a load that was not written": {true, history{at(1, 2, loaded), at(3, 4, get(nothing))}},
		"a load over a value":         {false, history{at(1, 2, set("A")), at(3, 4, loaded)}},
		"a load after a write began":  {false, history{at(1, 6, loaded), at(2, 3, set("A")), at(7, 8, get("L"))}},
		"two share a load":            {true, history{at(1, 4, loaded), at(2, 3, joined), at(5, 6, get("L"))}},
		"shared after a write":        {false, history{at(1, 8, loaded), at(2, 3, set("A")), at(4, 5, joined)}},
		"an abandoned load fills late": {true, history{
			at(1, never, maybe(loaded)), at(2, 3, get(nothing)), at(4, 5, get("L")),
		}},
		"an abandoned load never replaces": {false, history{
			at(1, never, maybe(loaded)), at(2, 3, set("A")), at(4, 5, get("A")), at(6, 7, get("L")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, linearizable(row.history), describe(row.history))
		})
	}
}

// Registers do not know of each other.
func TestModel_Keys(t *testing.T) {
	t.Parallel()
	h := []porcupine.Operation{
		{Input: step{kind: write, key: "a", value: "A"}, Call: 1, Return: 2},
		{Input: step{kind: read, key: "b", value: nothing}, Call: 3, Return: 4},
		{Input: step{kind: read, key: "a", value: "A"}, Call: 5, Return: 6},
	}
	assert.True(t, linearizable(h))
	assert.Len(t, partition(h), 2)
}

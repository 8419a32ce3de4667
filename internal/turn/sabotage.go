package turn

import (
	"strconv"
	"sync/atomic"
)

// Sabotage takes protections out of the tables that are made while it is set. It
// is there for one test: the checker of linearizability must find what is wrong
// then, or it would find nothing.
var Sabotage struct {
	NoTurns  bool // operations on one key do not wait for each other
	NoFences bool // fences never break
}

// sabotage is what a table was made with.
type sabotage struct {
	noTurns, noFences bool
	keys              atomic.Uint64
}

// anyKey is a key that no other operation has.
func (s *sabotage) anyKey() string { return strconv.FormatUint(s.keys.Add(1), 36) }

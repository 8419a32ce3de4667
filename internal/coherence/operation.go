package coherence

import (
	"math/rand/v2"
	"sync/atomic"
)

// identity numbers the operations of one machine. The upper half of a number is drawn at
// random for the machine, and tells its changes from those of others.
type identity struct {
	half uint64
	last atomic.Uint32
}

const halfBits = 32

func newIdentity() identity {
	return identity{half: uint64(rand.Uint32N(1<<halfBits-1)) + 1} //nolint:gosec // it is no secret
}

// made reports whether the operation is one of the machine's. The store may not know the
// operation: then it is 0, which is nobody's.
func (i *identity) made(operation uint64) bool { return operation>>halfBits == i.half }

// Operation returns a number for [backends.Write.Operation], by which the machine knows
// the change when it is told of it.
func (m *Machine) Operation() uint64 {
	return m.identity.half<<halfBits | uint64(m.identity.last.Add(1))
}

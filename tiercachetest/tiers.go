package tiercachetest

import (
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// Tiers are two tiers that fail as a test asks. Each is a map behind a fault kit.
// L1 describes itself as in-process, and L2 as a remote store of the system
// "fake". It is safe for concurrent use once its fields are no longer changed.
type Tiers[V any] struct {
	// L1 and L2 are the backends for a cache. Without faults they pass each call to the
	// map.
	L1, L2 *backendtest.Faults[V]

	// Map1 and Map2 are the stores of L1 and L2. Calls of a map bypass the faults and
	// are not counted.
	Map1, Map2 *backendtest.Map[V]
}

// NewTiers returns two empty tiers without faults.
func NewTiers[V any]() *Tiers[V] {
	t := &Tiers[V]{Map1: backendtest.NewMap[V](), Map2: backendtest.NewMap[V]()}
	t.L1 = backendtest.WithFaults(t.Map1)
	t.L2 = backendtest.WithFaults(t.Map2).Described(backends.Description{System: "fake"})
	return t
}

// Holds returns the values that the tiers store at key, expired ones included.
// The zero value stands for an absent entry.
func (t *Tiers[V]) Holds(key string) (l1, l2 V) {
	return t.Map1.Snapshot()[key].Value, t.Map2.Snapshot()[key].Value
}

package tier

// ID names one of the two tiers of a cache.
type ID uint8

// The tiers. The zero ID names none of them.
const (
	L1 ID = iota + 1 // in the process
	L2               // shared or persistent
)

// String returns "l1" or "l2", and "unknown" for any other value.
func (id ID) String() string {
	switch id {
	case L1:
		return "l1"
	case L2:
		return "l2"
	default:
		return "unknown"
	}
}

// Other returns the other tier.
func (id ID) Other() ID { return L1 + L2 - id }

// Pair is one value for each tier.
type Pair[T any] struct{ L1, L2 T }

// At returns the value of a tier, to read or to modify. It returns that of L2
// for any ID but L1.
func (p *Pair[T]) At(id ID) *T {
	if id == L1 {
		return &p.L1
	}
	return &p.L2
}

package writepolicy

// Kind is what a write does.
type Kind uint8

// The kinds of writes.
const (
	Set    Kind = iota + 1 // stores a value
	Delete                 // removes it
)

// String returns "set" or "delete".
func (k Kind) String() string {
	switch k {
	case Set:
		return "set"
	case Delete:
		return "delete"
	default:
		return "invalid"
	}
}

// Op is one write of one key. More fields may be added.
type Op struct {
	Kind Kind
	Key  string
}

package tier

// Kind is an operation on a cache or on one of its tiers. One type serves all
// packages, so that a write, a call of a backend and a span agree on its name.
type Kind uint8

// The operations. Set and Delete are the writes of a cache; a tier also knows
// Invalidate, which drops its copy, and Refill, which stores in L1 an entry
// that L2 had. Load calls a loader. Stage prepares a Set and changes nothing. Update
// reads, changes and writes a value.
const (
	Set Kind = iota + 1
	Delete
	Invalidate
	Get
	Refill
	Load
	Stage
	Update
)

// Kinds is the number of kinds, for arrays indexed by a [Kind].
const Kinds = int(Update) + 1

// String returns the operation's name in telemetry: "set", "delete",
// "invalidate", "get", "refill", "load", "stage" or "update", and "invalid" for any
// other value.
func (k Kind) String() string {
	if k == 0 || int(k) >= Kinds {
		return "invalid"
	}
	return [Kinds]string{"", "set", "delete", "invalidate", "get", "refill", "load", "stage", "update"}[k]
}

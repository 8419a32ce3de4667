package tier

// Lookup is the result of a read, of the whole cache or of one tier.
type Lookup uint8

// The results. A tier only knows the first three.
const (
	LookupHit      Lookup = iota // a value
	LookupMiss                   // no value
	LookupError                  // not known, because a tier failed
	LookupLoad                   // no value in the tiers, and one from the loader
	LookupNegative               // no value, as a loader said before
	LookupStale                  // expired, or perhaps replaced, because no fresh one was available
)

// Lookups is the number of results, and TierLookups the number of those that one tier can have, for
// arrays indexed by a [Lookup].
const (
	Lookups     = int(LookupStale) + 1
	TierLookups = int(LookupError) + 1
)

// String returns the result's name in telemetry: "hit", "miss", "error", "load",
// "negative" or "stale".
func (l Lookup) String() string {
	if int(l) >= Lookups {
		return "error"
	}
	return [Lookups]string{"hit", "miss", "error", "load", "negative", "stale"}[l]
}

// Refilled is the outcome of a refill of L1, or of storing a loaded value in both tiers.
type Refilled uint8

// The outcomes of a refill.
const (
	NotRefilled      Refilled = iota // there was nothing to store
	RefillApplied                    // it was stored
	RefillFenced                     // a newer write had begun, so it was not
	RefillFailed                     // a tier failed
	RefillDisabled                   // an option turns refills off
	RefillUnstorable                 // a tier can never store this value
	RefillSuperseded                 // a tier holds something newer
)

// String returns "applied", "fenced", "failed", "disabled", "unstorable" or "superseded",
// and "none" for any other value.
func (r Refilled) String() string {
	switch r {
	case RefillApplied:
		return "applied"
	case RefillFenced:
		return "fenced"
	case RefillFailed:
		return "failed"
	case RefillDisabled:
		return "disabled"
	case RefillUnstorable:
		return "unstorable"
	case RefillSuperseded:
		return "superseded"
	default:
		return "none"
	}
}

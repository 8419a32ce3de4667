package tier

// Inconsistency says that the tiers of a cache may differ in a key.
type Inconsistency struct {
	Cache  string
	Policy string
	Kind   Kind
	Key    string // for the hook of the cache only: telemetry never gets it

	// L1 and L2 are the results of the write in each tier.
	L1, L2 Result

	// Verdict says which tier may be stale, and whether compensation resolved the
	// difference.
	Verdict Verdict
}

// String returns a sentence without the key.
func (i Inconsistency) String() string {
	return i.Kind.String() + " " + i.Cache + ": l1 " + i.L1.Outcome.String() +
		", l2 " + i.L2.Outcome.String() + ": " + i.Verdict.describe(i.Kind)
}

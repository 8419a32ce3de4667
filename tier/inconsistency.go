package tier

// Inconsistency reports that the tiers of a cache may differ at a key.
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

// Err returns the error that explains the inconsistency: that of the stale tier, of the
// other tier, or of compensation. It is nil if the policy did not call one of the
// tiers.
func (i Inconsistency) Err() error { return i.Verdict.cause(i.L1, i.L2) }

// cause returns the first error of a write, beginning with the stale tier's.
func (v Verdict) cause(l1, l2 Result) error {
	if v.Stale == L2 {
		l1, l2 = l2, l1
	}
	for _, err := range []error{l1.Err, l2.Err, l1.CompensationErr, l2.CompensationErr} {
		if err != nil {
			return err
		}
	}
	return nil
}

// String returns a sentence without the key.
func (i Inconsistency) String() string {
	return i.Kind.String() + " " + i.Cache + ": l1 " + i.L1.Outcome.String() +
		", l2 " + i.L2.Outcome.String() + ": " + i.Verdict.describe(i.Kind)
}

package telemetry

// Scrubbed is the result of comparing an entry of L1 with L2.
type Scrubbed uint8

// The results.
const (
	ScrubMatch     Scrubbed = iota // the versions are the same
	ScrubLagging                   // L2's is newer, and L1 learned of it within the bound
	ScrubStale                     // L2's is newer, and L1 would have returned its own as fresh
	ScrubRegressed                 // L2's is older, or of another era, and L1 has not noticed
	ScrubAbsent                    // L2 remembers nothing of the key: it has evicted it
	scrubResults
)

// String returns the result's name in telemetry.
func (s Scrubbed) String() string {
	return [...]string{"match", "lagging", "stale", "regressed", "absent"}[s]
}

// Scrubbed counts a comparison.
func (r *Repairs) Scrubbed(s Scrubbed) {
	if r.meter != nil {
		r.meter.scrubbed[s].Add(1)
	}
}

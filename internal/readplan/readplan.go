// Package readplan describes to the engine how a policy of package readpolicy reads. It
// seals that package: only policies that can name a Plan are policies.
package readplan

// Plan is the way in which the tiers are read.
type Plan struct {
	Concurrent  bool // both tiers are asked at once; otherwise L1, then L2
	WaitForBoth bool // of two hits the fresher one wins; otherwise the first hit
	CancelLoser bool // the first hit ends the other tier's read
}

// Package writepolicy says in which order the two tiers of a cache are written,
// when a write counts as a success, and when the tiers may differ afterwards.
//
// A [Policy] is given one operation and its two tiers, and writes them:
//
//	func (logged) Write(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
//		if err := l1.Write(ctx); err != nil {
//			return err
//		}
//		return l2.Write(ctx)
//	}
//
// The policies of this package are
//
//   - [Sequential]: L1, then L2; or L2, then L1. The default of a cache.
//   - [Parallel]: both at once, and both must apply the write.
//   - [OptimisticParallel]: both at once, and one of them is enough.
//   - [Race]: both at once, and the first success answers.
//   - [WriteAround]: L2, then the copy in L1 is dropped.
//
// The result of the write in each tier is a [tier.Outcome]. The cache observes the
// outcomes itself, below the policy, so that neither the returned
// [*tier.WriteError] nor any telemetry depends on the honesty of a policy.
// [tier.Assess] decides whether the tiers may differ.
//
// Package policytest checks any Policy, including a user's own.
package writepolicy

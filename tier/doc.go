// Package tier is the vocabulary of a cache with two tiers: the tiers
// themselves, the operations on them, the outcomes of those operations, and the
// verdict on whether the tiers may differ afterwards.
//
// Every write ends with an [Outcome] in each tier:
//
//	applied      the tier certainly has the write
//	failed       the tier certainly does not have it
//	unknown      the tier may have it
//	skipped      it was never attempted
//	superseded   a condition refused it, because the tier holds something newer
//
// A failed write returns a [*WriteError] with a [Result] for each tier, and
// errors.Is(err, [ErrInconsistent]) reports whether the tiers may now differ:
//
//	err := cache.Set(ctx, "42", user, time.Hour)
//	var failed *tier.WriteError
//	if errors.As(err, &failed) {
//		log.Printf("l1 %v, l2 %v", failed.L1.Outcome, failed.L2.Outcome)
//	}
//
// The package imports the standard library only. Its values are safe for
// concurrent use as long as nobody modifies them.
package tier

// Package tiercache composes two cache tiers, one in the process (L1) and one
// that is shared or persistent (L2), into one cache in which no divergence
// between the tiers is silent.
//
//	l1, err := otterbackend.New[User]()                       // any backends.Backend
//	l2, err := backends.WithCodec(store, backends.JSON[User]())
//	cache, err := tiercache.New("users", l1, l2)
//	defer cache.Close(ctx)
//
//	err = cache.Set(ctx, "42", user, time.Hour)
//	if errors.Is(err, tier.ErrInconsistent) {
//		// L1 has the value, L2 may not
//	}
//
// A write takes the key's lock, so that the writers of one key are ordered over
// both tiers, and hands the tiers to a policy of package writepolicy. Sequential
// write-through is the default: L1, then L2; when L1 fails it stops, and when L2
// fails there is an error, because the tiers now differ.
//
// The cache observes the outcome in each tier below the policy. Whenever the outcomes
// allow the tiers to differ, it emits one inconsistency event and calls the hook, also
// when the write returned nil.
//
// A read asks L1, then L2, and L1 gets the entry of L2, unless a write of the key has
// begun in the meantime. GetOrLoad shares one loader among all callers of a key, and a
// loaded value never replaces one that was written since.
package tiercache

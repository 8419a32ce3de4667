// Package tiercache combines two cache tiers, one in the process (L1) and one shared or persistent
// (L2), into one cache that reports every divergence between them.
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
// A write acquires the key's lock, so that the writes of one key reach both tiers in the same
// order. A policy of package [writepolicy] then writes the tiers. The default is sequential
// write-through: L1, then L2. If L1 fails, the write stops; if L2 fails, it returns an error,
// because the tiers now differ.
//
// The cache observes the outcome in each tier below the policy. Whenever the outcomes allow the
// tiers to differ, it emits one inconsistency event and calls the hook, even if the write returned
// nil.
//
// A read asks L1, then L2, and refills L1 from L2, unless a write of the key has begun in the
// meantime. GetOrLoad runs one loader for all callers of a key, and a loaded value never replaces
// one that was written since the load began.
package tiercache

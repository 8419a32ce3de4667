// Package otterbackend keeps entries in this process, in an otter cache: an L1 that is bounded,
// fast, and safe for concurrent use. It holds the values as they are, so nothing is encoded.
//
//	l1, err := otterbackend.New[User](
//		otterbackend.WithMaximumSize(50_000),
//	)
//	if err != nil {
//		return err
//	}
//	defer l1.Close()
//
//	err = l1.Set(ctx, "user:1", backends.Entry[User]{
//		Value:     user,
//		ExpiresAt: time.Now().Add(time.Minute),
//	})
//	entry, ok, err := l1.Get(ctx, "user:1")
//
// Without options it holds 10 000 entries. Beyond that, entries are evicted, beginning
// with those that were used least often and least recently.
//
// Every entry expires when its own ExpiresAt says so. Get compares it with the system's clock at
// each call, so an expired entry is a miss even right after the process was stopped, the machine
// was suspended or the clock was set. The memory of an expired entry is freed within about two
// seconds; in a store of a million entries that may take half a minute, because walks over all of
// them take at most a hundredth of one processor.
//
// The expiry is kept as Unix time in nanoseconds: Get returns it in the local time zone, and an
// expiry after the year 2262 as the last instant that the type can hold. An entry takes 16 bytes
// less than in an otter cache that expires entries, and a hit less time.
//
// A value can have a stamp beside it, see [Backend.SetStamped], and all entries can be
// walked, see [Backend.Walk]. With [WithVersions] the store gives each change a version
// and decides conditions, so that it can be a lower tier.
//
// Otter's maintenance runs on the goroutine of the Set or Get that makes it necessary. In a
// goroutine of its own it would cost more than it saves, and delay goroutines that have an answer
// from the network.
//
// Metrics, and [Backend.Stats], report the numbers of entries and of evictions, see
// [MetricEntryCount]. Give each store its own [WithName].
//
// An otter cache that was configured elsewhere, for instance to record
// statistics, can be used through [FromCache].
package otterbackend

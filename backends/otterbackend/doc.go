// Package otterbackend keeps entries in this process, in an otter cache: a
// first tier that is bounded, fast, and safe for concurrent use. It pays for no
// serialisation, because it holds the values as they are.
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
// Without options it holds 10 000 entries. What does not fit is evicted, the
// entries that were used least often and least recently first.
//
// Every entry expires when its own ExpiresAt says so. Get is exact about it;
// the memory of an expired entry is freed within about two seconds.
//
// An otter cache that was configured elsewhere, for instance to record
// statistics, can be used through [FromCache].
package otterbackend

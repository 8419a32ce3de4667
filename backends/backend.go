package backends

import "context"

// Backend is one store of entries, for a tier of a cache.
//
// Implementations must be safe for concurrent use. They should honour the
// context: when it ends, a call should return soon, with an error that wraps
// [ContextError]. An implementation that ignores the context of a call that
// hangs makes every write of that key wait. The context need not
// end with the call, and an implementation must not retain it after that. Every call with
// a nil context, also of an optional interface, returns an error for which
// [CertainlyNotApplied] holds, such as [ErrNilContext], and does nothing else.
//
// If a call panics or ends its goroutine, the cache treats the outcome as unknown.
//
// An implementation should not call the cache that it is a tier of. If it does so with its context,
// a write of the key that is being written returns at once, with an error that wraps
// tiercache.ErrReentrant, and so does Close. The cache does not recognise a call with another
// context, nor that of a store in the process with a context that never ends. Such a call waits for
// itself until its context ends, if it ever does.
//
// Keys are any non-empty strings, binary ones included; a cache refuses the empty key. Whether an
// empty slice comes back as nil is not specified. Values that were given to Set may be kept, and
// values that Get returns may be shared, so neither side may modify them afterwards.
//
// Errors should contain neither the key nor the value, because they are put on spans
// and into logs. If a healthy store refuses one call, the error should say so: see
// [FromHealthyStore].
type Backend[V any] interface {
	// Get returns the entry at key. An absent or expired entry is a miss: ok is
	// false and err is nil.
	Get(ctx context.Context, key string) (entry Entry[V], ok bool, err error)

	// Set stores the entry at key, in place of any other, until it expires. It
	// must be idempotent.
	//
	// An error means that the write may have been applied, unless
	// [CertainlyNotApplied] holds for it. Implementations should say so where
	// they know it; see [NotApplied].
	Set(ctx context.Context, key string, entry Entry[V]) error

	// Delete removes the entry at key. An absent entry is no error. The rules of Set
	// for errors and idempotence hold here too.
	Delete(ctx context.Context, key string) error
}

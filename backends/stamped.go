package backends

import "context"

// Stamp is kept beside a value in L1. The cache gives it, and the backend only keeps it.
type Stamp struct {
	Version Version // as L2 issued it; 0: not known
	Source  uint64  // see Write.Source
	Epoch   uint32  // of the cache's trust in L1
}

// Stamped is a [Backend] in the process that keeps a stamp beside each value. A value
// that Set stores has the zero Stamp.
type Stamped[V any] interface {
	// GetStamped is Get, and returns the stamp of the same instant.
	GetStamped(ctx context.Context, key string) (entry Entry[V], stamp Stamp, ok bool, err error)

	// SetStamped is Set with a stamp.
	SetStamped(ctx context.Context, key string, entry Entry[V], stamp Stamp) error
}

// FreshGetter is a [Stamped] that can return the value alone if its stamp shows that it is fresh,
// as it does for most hits.
type FreshGetter[V any] interface {
	// GetFresh returns the value at key if its stamp has the epoch, and a version that is
	// not 0. Otherwise ok is false.
	GetFresh(ctx context.Context, key string, epoch uint32) (value V, ok bool, err error)
}

// Walker is a [Backend] in the process whose entries can be walked.
type Walker interface {
	// Walk calls visit with the key and the stamp of each entry that has not
	// expired, in any order, until visit returns false or ctx ends, and returns the
	// context's error. Changes that are made meanwhile may be seen or not. Visit may
	// call the backend.
	Walk(ctx context.Context, visit func(key string, stamp Stamp) bool) error
}

package backends

import "context"

// Errors of arguments that no store can serve. The store was not asked, and nothing was applied.
var (
	// ErrNilContext is returned, possibly wrapped, by every call that was given a nil context.
	ErrNilContext error = &refusedError{
		"backends: the context is nil: pass one, such as context.Background()", "invalid_argument", true,
	}

	// ErrUnequalBatch is the error of each result of a batch that was given more or fewer results
	// than keys or writes. See [RefuseReads] and [RefuseWrites].
	ErrUnequalBatch error = &refusedError{
		"backends: the slices of the batch differ in length: pass one result for each key or write", "invalid_argument", true,
	}

	// ErrNilSink is returned, possibly wrapped, by Watch if the sink is nil.
	ErrNilSink error = &refusedError{
		"backends: the sink is nil: pass one that is to be told of changes", "invalid_argument", true,
	}
)

// RefuseReads reports whether a batch of reads cannot begin, because the context is nil or the
// slices differ in length. Each element of got then has the error. It is meant for
// implementations of [Batcher], which should then return at once.
func RefuseReads[V any](ctx context.Context, keys []string, got []Got[V]) (refused bool) {
	err := batchError(ctx, len(keys), len(got))
	if err == nil {
		return false
	}
	for i := range got {
		got[i] = Got[V]{Err: err}
	}
	return true
}

// RefuseWrites is [RefuseReads] for a batch of writes.
func RefuseWrites[V any](ctx context.Context, writes []Write[V], done []Done) (refused bool) {
	err := batchError(ctx, len(writes), len(done))
	if err == nil {
		return false
	}
	for i := range done {
		done[i] = Done{Err: err}
	}
	return true
}

func batchError(ctx context.Context, asked, results int) error {
	switch {
	case ctx == nil:
		return ErrNilContext
	case asked != results:
		return ErrUnequalBatch
	default:
		return nil
	}
}

package backends

import "context"

// Batcher is a [Backend] that answers for many keys in few round trips. It is one only if
// its [Description] says so, in Abilities.Batches.
//
// A batch is not atomic: each key has its own result, and one that fails does not stop
// the others. A store may split a batch. The same key may occur several times; its
// changes are then made in the order of the batch.
//
// If the context is nil, or the slices of keys or writes and of results differ in length, the store
// is not asked, and every result has an error for which [CertainlyNotApplied] holds; see
// [RefuseReads] and [RefuseWrites].
type Batcher[V any] interface {
	// GetMany reads keys[i] into got[i]. Got is as long as keys, and all zero. The results are
	// those of GetIf or, for a store without versions, of Get.
	GetMany(ctx context.Context, keys []string, got []Got[V])

	// WriteMany makes writes[i] and puts its result into done[i]. Done is as long as writes, and
	// all zero. The rules are those of [Versioned]. A store without versions makes only
	// unconditional writes, and refuses others with an error that wraps [ErrUnsupported].
	WriteMany(ctx context.Context, writes []Write[V], done []Done)
}

// Got is the result of one key of a batch of reads. Entry is set if Answer.Found is Hit.
type Got[V any] struct {
	Entry  Entry[V]
	Answer Answer
	Err    error
}

// Done is the result of one change of a batch. Result is valid if Err is nil; the
// rules of [Backend.Set] for errors hold for Err.
type Done struct {
	Result Result
	Err    error
}

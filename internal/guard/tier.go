package guard

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Tier is a backend behind guards. It is safe for concurrent use.
type Tier[V any] struct {
	id      tier.ID
	backend backends.Backend[V]
	stager  backends.Stager[V]      // nil: the backend does not stage
	values  backends.ValueGetter[V] // nil: the backend returns whole entries
	decides backends.Versioned[V]   // nil: the backend issues no versions
	stamped backends.Stamped[V]     // nil: the backend keeps no stamps
	fresh   backends.FreshGetter[V] // nil: the backend returns whole entries with their stamps
	many    backends.Batcher[V]     // nil: the backend takes one key at a time
	desc    backends.Description
	limits  *deadlines // of writes; nil: they have none
	reads   *deadlines // of reads; nil: they have none
	certain func(err error) bool
}

// Timeouts are those of each call of a tier that is not in the process.
type Timeouts struct{ Read, Write time.Duration }

// NewTier returns a tier of the cache. Certain reports that a write was certainly not
// applied.
func NewTier[V any](id tier.ID, b backends.Backend[V], timeouts Timeouts, certain func(err error) bool) *Tier[V] {
	t := &Tier[V]{id: id, backend: b, desc: backends.DescriptionOf(b), certain: certain}
	t.values, _ = b.(backends.ValueGetter[V])
	t.stager, _ = b.(backends.Stager[V])
	t.fresh, _ = b.(backends.FreshGetter[V])
	t.decides, t.many, t.stamped = backends.AsVersioned(b), backends.AsBatcher(b), backends.AsStamped(b)
	if !t.desc.InProcess {
		t.limits = &deadlines{timeout: timeouts.Write}
		t.reads = &deadlines{timeout: timeouts.Read}
	}
	return t
}

// Staged is the prepared write of a tier.
type Staged func(ctx context.Context) error

// Description returns the description of the backend.
func (t *Tier[V]) Description() backends.Description { return t.desc }

// Stages reports whether the backend prepares its writes.
func (t *Tier[V]) Stages() bool { return t.stager != nil }

// Bare returns the backend if a Set of it is neither staged nor limited in time, and
// needs no other guard than [Catch]. Otherwise it returns nil. It is for callers that
// guard several calls at once (budget Set/policy=sequential/telemetry=off).
func (t *Tier[V]) Bare() backends.Backend[V] {
	if t.limits != nil || t.stager != nil {
		return nil
	}
	return t.backend
}

// Stage prepares a Set. A nil Staged means that there is nothing to prepare.
func (t *Tier[V]) Stage(ctx context.Context, key string, entry backends.Entry[V]) (Staged, error) {
	if t.stager == nil {
		return nil, nil
	}
	staged, err := t.stage(ctx, key, entry)
	if err != nil {
		return nil, NewError(t.id, tier.Stage.String(), key, tier.Failed, err)
	}
	return staged, nil
}

func (t *Tier[V]) stage(ctx context.Context, key string, entry backends.Entry[V]) (staged Staged, err error) {
	defer Catch(&err)
	return t.stager.Stage(ctx, key, entry)
}

// Get returns the entry at key.
func (t *Tier[V]) Get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	entry, ok, err = t.get(ctx, key)
	if err != nil {
		return backends.Entry[V]{}, false, t.GetError(key, err)
	}
	return entry, ok, nil
}

func (t *Tier[V]) get(ctx context.Context, key string) (entry backends.Entry[V], ok bool, err error) {
	defer Catch(&err)
	ctx, cancel := t.reads.limit(ctx)
	defer cancel()
	return t.backend.Get(ctx, key)
}

// GetError returns the error of Get for one of the backend's.
func (t *Tier[V]) GetError(key string, err error) error {
	return NewError(t.id, tier.Get.String(), key, tier.Failed, err)
}

// Value is Get for callers that want nothing else of the entry, of a backend in the
// process. Its error is still the backend's: see [Tier.GetError] (budget Get/hit=l1).
func (t *Tier[V]) Value(ctx context.Context, key string) (value V, ok bool, err error) {
	defer Catch(&err)
	if t.values != nil {
		return t.values.GetValue(ctx, key)
	}
	entry, ok, err := t.backend.Get(ctx, key)
	return entry.Value, ok, err
}

// Set stores the entry, by the staged write if there is one. Its error is still the
// backend's: see [Tier.Failed].
func (t *Tier[V]) Set(ctx context.Context, key string, entry *backends.Entry[V], staged Staged) (err error) {
	if staged != nil || t.limits != nil {
		return t.setWithin(ctx, key, entry, staged)
	}
	defer Catch(&err)
	return t.backend.Set(ctx, key, *entry)
}

func (t *Tier[V]) setWithin(ctx context.Context, key string, entry *backends.Entry[V], staged Staged) (err error) {
	defer Catch(&err)
	ctx, cancel := t.limits.limit(ctx)
	defer cancel()
	if staged != nil {
		return staged(ctx)
	}
	return t.backend.Set(ctx, key, *entry)
}

// Delete removes the entry. Its error is still the backend's: see [Tier.Failed].
func (t *Tier[V]) Delete(ctx context.Context, key string) (err error) {
	defer Catch(&err)
	ctx, cancel := t.limits.limit(ctx)
	defer cancel()
	return t.backend.Delete(ctx, key)
}

// Versioned reports whether the backend issues versions and decides conditions.
func (t *Tier[V]) Versioned() bool { return t.decides != nil }

// Write has the backend decide a write. Its error is still the backend's: see
// [Tier.Failed].
func (t *Tier[V]) Write(ctx context.Context, w *backends.Write[V]) (res backends.Result, err error) {
	defer Catch(&err)
	ctx, cancel := t.limits.limit(ctx)
	defer cancel()
	return t.decides.Write(ctx, w)
}

// GetIf returns the entry at key with its versions, unless its version is have.
func (t *Tier[V]) GetIf(ctx context.Context, key string, have backends.Version) (entry backends.Entry[V], answer backends.Answer, err error) {
	entry, answer, err = t.getIf(ctx, key, have)
	if err != nil {
		return backends.Entry[V]{}, backends.Answer{}, t.GetError(key, err)
	}
	return entry, answer, nil
}

func (t *Tier[V]) getIf(ctx context.Context, key string, have backends.Version) (entry backends.Entry[V], answer backends.Answer, err error) {
	defer Catch(&err)
	ctx, cancel := t.reads.limit(ctx)
	defer cancel()
	return t.decides.GetIf(ctx, key, have)
}

// Batches reports whether the backend takes many keys at once.
func (t *Tier[V]) Batches() bool { return t.many != nil }

// WriteMany has the backend make many writes. Its errors are still the backend's: see
// [Tier.Failed].
func (t *Tier[V]) WriteMany(ctx context.Context, writes []backends.Write[V], done []backends.Done) {
	t.callMany(ctx, t.limits, len(done),
		func(ctx context.Context) { t.many.WriteMany(ctx, writes, done) },
		func(i int) bool { return done[i] == backends.Done{} },
		func(i int, err error) { done[i] = backends.Done{Err: err} })
}

// GetMany has the backend read many keys. Its errors are still the backend's: see
// [Tier.GetError].
func (t *Tier[V]) GetMany(ctx context.Context, keys []string, got []backends.Got[V]) {
	t.callMany(ctx, t.reads, len(got),
		func(ctx context.Context) { t.many.GetMany(ctx, keys, got) },
		func(i int) bool {
			return got[i].Answer.Found == backends.Miss && got[i].Answer.Version == 0 && got[i].Err == nil
		},
		func(i int, err error) { got[i] = backends.Got[V]{Err: err} })
}

// callMany makes a call within the timeout. If it panics or ends the goroutine, all
// results are replaced by that error, because nothing says which of them are there. If the
// context has ended, so are those that are unset: a backend that gives up has not said that
// it has made a write, or that it has no value.
func (t *Tier[V]) callMany(
	ctx context.Context, limits *deadlines, n int,
	call func(ctx context.Context), unset func(i int) bool, fail func(i int, err error),
) {
	err, all := ErrExited, true
	defer func() {
		for i := 0; err != nil && i < n; i++ {
			if all || unset(i) {
				fail(i, err)
			}
		}
	}()
	defer Catch(&err)
	ctx, cancel := limits.limit(ctx)
	defer cancel()
	call(ctx)
	err, all = backends.ContextError(ctx), false
}

// Failed returns the outcome and the error of a write that failed with err. The kind
// names the call: Set, Delete, Invalidate or Refill.
func (t *Tier[V]) Failed(kind tier.Kind, key string, err error) (tier.Outcome, error) {
	text, err := readable(err) // first, or the classifier could read it for ever
	outcome := t.classify(err)
	return outcome, newError(t.id, kind.String(), key, outcome, text, err)
}

// Limit returns a context that ends with the tier's timeout, for a call that goes on
// although its caller was cancelled.
func (t *Tier[V]) Limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return t.limits.limit(ctx)
}

// Release frees the timers of the timeouts, when no call is under way any more.
func (t *Tier[V]) Release() {
	t.limits.release()
	t.reads.release()
}

// classify returns the outcome of a write that failed with err. A classifier that
// panics is not certain.
func (t *Tier[V]) classify(err error) (outcome tier.Outcome) {
	outcome = tier.Unknown
	defer Report()
	if t.certain(err) {
		outcome = tier.Failed
	}
	return outcome
}

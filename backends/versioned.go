package backends

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/tier"
)

// Versioned is a [Backend] that gives each change a version and decides conditions. It is one only
// if its [Description] says so, in Abilities.Versions: a decorator has the methods even over a
// store that lacks the ability.
//
// Its Set and Delete are unconditional writes, which get versions too.
type Versioned[V any] interface {
	// Write makes one change, if its condition holds, its deadline has not passed
	// and its source's version is not older than the stored one. The store decides
	// these and writes in one step.
	//
	// A write that the store refused for one of these reasons is a Result and no
	// error. The rules of [Backend.Set] for errors hold here too. An invalid or nil
	// write is an [InvalidWriteError], certainly not applied; [Write.Check] returns it.
	// Write must not keep or change w.
	Write(ctx context.Context, w *Write[V]) (Result, error)

	// GetIf returns the entry at key with its versions, unless its version is have: then the store
	// sends no value, and the answer is [Unchanged]. With have 0 it returns the entry in any case.
	GetIf(ctx context.Context, key string, have Version) (Entry[V], Answer, error)
}

// Write is one change of a key.
type Write[V any] struct {
	Key   string
	Kind  tier.Kind // tier.Set or tier.Delete
	Entry Entry[V]  // for a Set
	If    Condition // zero: always

	// Source is the version that the source behind the cache gives to the value, or
	// to its deletion: a row's version, for instance. The store refuses a write
	// whose Source is less than the stored one, also that of a deleted entry, and
	// accepts an equal one. 0: the write has none and is not compared.
	Source uint64

	// Before is the instant, by the store's clock, after which the store refuses
	// the write. Zero: it never does. Stores without Abilities.Deadlines ignore it.
	Before time.Time

	// Keep is how long the store remembers the versions of a deleted or expired
	// entry, to compare later writes with them. 0: [DefaultKeep].
	Keep time.Duration

	// Operation identifies the operation that makes the write. It is stored beside the
	// value. 0: none.
	Operation uint64

	// Note travels with the change: at most [MaxNoteSize] bytes that only the writer
	// and the readers of the change understand.
	Note []byte

	// Codec identifies the codec that made the value from another type; 0: unknown.
	Codec uint8
}

// DefaultKeep is how long a store remembers the versions of a deleted or expired entry
// if [Write.Keep] does not say otherwise.
const DefaultKeep = 10 * time.Second

// MaxNoteSize is the largest size of [Write.Note] in bytes.
const MaxNoteSize = 64

// Refusal is the reason why a store refused a [Write].
type Refusal uint8

// The refusals.
const (
	NotRefused       Refusal = iota
	RefusedCondition         // the condition does not hold
	RefusedSource            // the stored source version is newer
	RefusedLate              // the deadline has passed
)

// Superseded reports whether the store holds something newer than the write, or something other
// than its condition expects.
func (r Refusal) Superseded() bool { return r == RefusedCondition || r == RefusedSource }

// Result is the store's decision on a [Write].
type Result struct {
	Refused Refusal // NotRefused: the write was applied

	// Version and Source are those of the key now: of the write if it was applied,
	// and of the entry or deletion that is there otherwise. 0: none.
	Version Version
	Source  uint64
}

// Applied reports whether the write was made.
func (r Result) Applied() bool { return r.Refused == NotRefused }

// Found is the kind of an [Answer].
type Found uint8

// The kinds of answers.
const (
	Miss      Found = iota // no entry; Version and Source may be those of a deleted one
	Hit                    // the entry
	Unchanged              // the entry's version is the given one; the store sent no value
)

// Answer is what a store knows about a key, besides the entry itself.
type Answer struct {
	Found     Found
	Version   Version // 0: unknown
	Source    uint64
	Operation uint64
	Note      []byte
	Codec     uint8
}

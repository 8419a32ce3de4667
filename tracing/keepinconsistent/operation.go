package keepinconsistent

import (
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// operation is the outermost span of a cache and the spans of caches below it.
type operation struct {
	root    trace.SpanID
	since   time.Time
	members []trace.SpanID // all of its spans, so that they can be forgotten
	open    int            // members that have not ended
	held    []sdktrace.ReadOnlySpan
	bytes   int64 // of held

	// detached has the writes that ended while calls of tiers went on, and how many
	// of these have not been heard of. A call whose span is only made when it fails may
	// never be: then the age ends the wait.
	detached map[trace.SpanID]int

	rootEnded bool
	keep      bool

	older, newer *operation // in its shard

	// Most operations have no more spans than these.
	someMembers [4]trace.SpanID
	someHeld    [4]sdktrace.ReadOnlySpan
}

// isOver reports whether nothing more is expected of the operation.
func (o *operation) isOver() bool { return o.rootEnded && o.open == 0 && len(o.detached) == 0 }

// ended notes what a member that has ended says of the operation.
func (o *operation) ended(id, parent trace.SpanID, f facts) {
	o.open--
	o.keep = o.keep || f.inconsistent
	o.rootEnded = o.rootEnded || id == o.root
	if f.inFlight > 0 {
		if o.detached == nil {
			o.detached = make(map[trace.SpanID]int, 1)
		}
		o.detached[id] = f.inFlight
	}
	if n := o.detached[parent]; n > 0 && f.tier {
		if n == 1 {
			delete(o.detached, parent)
		} else {
			o.detached[parent] = n - 1
		}
	}
}

// shard has the operations of some traces. A trace is in one shard.
type shard struct {
	mu         sync.Mutex
	operations map[trace.SpanID]*operation // by each of their spans
	oldest     *operation
	newest     *operation
	_          [64]byte // shards of other processors' caches
}

func (s *shard) begin(root trace.SpanID, since time.Time) *operation {
	o := &operation{root: root, since: since, older: s.newest}
	o.members, o.held = o.someMembers[:0], o.someHeld[:0]
	if s.newest != nil {
		s.newest.newer = o
	} else {
		s.oldest = o
	}
	s.newest = o
	return o
}

func (s *shard) join(o *operation, id trace.SpanID) {
	if s.operations == nil {
		s.operations = make(map[trace.SpanID]*operation)
	}
	s.operations[id] = o
	o.members = append(o.members, id)
	o.open++
}

// forget lets go of an operation.
func (s *shard) forget(o *operation) {
	for _, id := range o.members {
		delete(s.operations, id)
	}
	if o.older != nil {
		o.older.newer = o.newer
	} else {
		s.oldest = o.newer
	}
	if o.newer != nil {
		o.newer.older = o.older
	} else {
		s.newest = o.older
	}
}

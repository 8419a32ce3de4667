package repair

import (
	"fmt"

	"github.com/tiercache/tiercache/backends"
)

// verdict is the judge's on a history.
type verdict struct {
	overwrote []string // repairs that have replaced newer data
	late      []string // changes after the deadline of their requests
	nobodys   []string // changes that nobody has asked for

	changes, repairs, applied, refused int
	last                               map[string]*request // of each key: that of the last change
}

func (v *verdict) String() string {
	return fmt.Sprintf("%d changes; of %d writes of repairs L2 applied %d, and refused %d because it had something newer",
		v.changes, v.repairs, v.applied, v.refused)
}

func (v *verdict) violations() (all []string) {
	return append(append(append(all, v.overwrote...), v.late...), v.nobodys...)
}

// judge knows of each change by its operation which requests can have made it: those whose
// deadline had not passed, by the clock of L2. If a repair has, no other change of the
// key may have come before it that L2 made after the write was sent which it repairs: the
// writer cannot have known of that.
func judge(h *history) *verdict {
	v := &verdict{changes: len(h.changes), last: make(map[string]*request)}
	byOperation := make(map[uint64][]*request)
	for _, q := range h.sent {
		byOperation[q.operation] = append(byOperation[q.operation], q)
		if q.repair {
			v.repairs++
			if q.refused == backends.RefusedCondition {
				v.refused++
			}
		}
	}
	byKey := make(map[string][]*backends.Change)
	for i := range h.changes {
		c := &h.changes[i]
		q := maker(byOperation[c.Operation], c)
		switch {
		case len(byOperation[c.Operation]) == 0:
			v.nobodys = append(v.nobodys, fmt.Sprintf("%s: version %d", c.Key, c.Version))
		case q == nil:
			v.late = append(v.late, fmt.Sprintf("%s: version %d", c.Key, c.Version))
		case q.repair:
			v.applied++
			v.overwrote = append(v.overwrote, h.overwritten(q, h.repaired(q, byOperation), c, byKey[c.Key])...)
		}
		byKey[c.Key] = append(byKey[c.Key], c)
		v.last[c.Key] = q
	}
	return v
}

// maker returns the request that has made a change, nil if its deadline had passed. If
// there are several, because L2 has not answered, it is the first.
func maker(requests []*request, c *backends.Change) (made *request) {
	for _, q := range requests {
		switch {
		case q.version == c.Version:
			made = q
		case q.version == 0 && made == nil && c.At.Before(q.before):
			made = q
		}
	}
	if made != nil && !c.At.Before(made.before) {
		return nil
	}
	return made
}

// overwritten returns the changes before that of a repair which it should not have
// replaced. To remove an entry that was evicted replaces nothing.
func (h *history) overwritten(q, repaired *request, made *backends.Change, earlier []*backends.Change) (newer []string) {
	for _, c := range earlier {
		switch {
		case c.Operation == q.operation, c.Operation == repaired.operation:
		case !c.At.After(repaired.begun):
		case q.removes && h.evictedBetween(c, made):
		default:
			newer = append(newer, fmt.Sprintf("%s: version %d, made %v after the write was sent, was replaced by version %d",
				c.Key, c.Version, c.At.Sub(repaired.begun), made.Version))
		}
	}
	return newer
}

// repaired returns the write that a repair is of. One that removes what is older than a
// lost value is an operation of its own: it is of the last write of the key by its
// instance.
func (h *history) repaired(q *request, byOperation map[uint64][]*request) (w *request) {
	w = q
	for _, other := range byOperation[q.operation] {
		if !other.repair {
			return other
		}
	}
	for _, other := range h.sent {
		if !other.repair && other.by == q.by && other.key == q.key && other.begun.Before(q.begun) {
			w = other
		}
	}
	return w
}

func (h *history) evictedBetween(c, made *backends.Change) bool {
	for _, e := range h.evictions {
		if e.key == c.Key && e.at.After(c.At) && !e.at.After(made.At) {
			return true
		}
	}
	return false
}

package policytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// operation is one write of the policy, and its record.
type operation struct {
	writepolicy.Op
	l1, l2 scriptedTier

	mu       sync.Mutex
	calls    []*call   // in the order in which they began
	answered bool      // Write has returned or panicked
	at       time.Time // when it did
	stuck    bool      // it has taken too long
	panicked any       // what it panicked with
	err      error     // of Write
}

// newOperation returns an operation for the bubble in which it is called. Calls
// of the tiers that are late are held until they are released.
func newOperation(op writepolicy.Op, sc script, late ...tier.ID) *operation {
	o := &operation{Op: op}
	o.l1 = scriptedTier{op: o, id: tier.L1, write: sc.l1, drop: sc.dropL1, gate: make(chan struct{})}
	o.l2 = scriptedTier{op: o, id: tier.L2, write: sc.l2, drop: sc.dropL2, gate: make(chan struct{})}
	for _, t := range []*scriptedTier{&o.l1, &o.l2} {
		if !slices.Contains(late, t.id) {
			t.release()
		}
	}
	return o
}

func (o *operation) tier(id tier.ID) *scriptedTier {
	if id == tier.L1 {
		return &o.l1
	}
	return &o.l2
}

func (o *operation) update(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// run lets p write. As in a cache, the context does not end.
func (o *operation) run(p writepolicy.Policy) {
	ctx := context.WithValue(context.Background(), fromSuite{}, o)
	returned := false
	var err error
	defer func() {
		v := recover()
		if v == nil && !returned {
			v = "runtime.Goexit"
		}
		o.update(func() { o.answered, o.at, o.panicked, o.err = true, time.Now(), v, err })
	}()
	err = p.Write(ctx, o.Op, &o.l1, &o.l2)
	returned = true
}

// stop ends the policy's time to answer.
func (o *operation) stop() {
	o.update(func() { o.stuck = !o.answered })
}

// report describes the write for the text of a violation.
func (o *operation) report() string {
	var parts []string
	for _, c := range o.calls {
		part := c.tier.String() + " " + c.name + " "
		switch {
		case !c.ended:
			part += "has not ended"
		case c.late:
			part += "came after the answer"
		case !c.timely:
			part += c.outcome().String() + " after the answer"
		default:
			part += c.outcome().String()
		}
		parts = append(parts, part)
	}
	switch {
	case o.stuck:
		parts = append(parts, "no answer")
	case o.panicked != nil:
		parts = append(parts, fmt.Sprintf("panic: %v", o.panicked))
	case o.err != nil:
		parts = append(parts, fmt.Sprintf("error: %v", o.err))
	default:
		parts = append(parts, "nil")
	}
	return o.Kind.String() + ": " + strings.ReplaceAll(strings.Join(parts, ", "), "\n", "; ")
}

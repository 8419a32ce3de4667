package readpolicytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
)

// read is one read that the policy makes, and what is seen of it.
type read struct {
	l1, l2 tier
	ctx    context.Context
	leave  context.CancelFunc // ends ctx

	mu       sync.Mutex
	calls    []*call   // in the order in which they began
	answered bool      // Read has returned or panicked
	at       time.Time // when it did
	left     bool      // ctx had ended then
	stuck    bool      // it has taken too long
	panicked any       // what it panicked with
	choice   readpolicy.Choice
	err      error
}

// newRead returns a read for the bubble in which it is called. Calls of the
// tiers that are late are held until they are released.
func newRead(sc script, late ...readpolicy.Choice) *read {
	r := new(read)
	ctx := context.WithValue(context.Background(), fromSuite{}, r)
	r.ctx, r.leave = context.WithCancel(ctx)
	r.l1 = tier{read: r, id: readpolicy.L1, has: sc.l1, gate: make(chan struct{})}
	r.l2 = tier{read: r, id: readpolicy.L2, has: sc.l2, gate: make(chan struct{})}
	for _, t := range []*tier{&r.l1, &r.l2} {
		if !slices.Contains(late, t.id) {
			t.release()
		}
	}
	return r
}

func (r *read) tier(id readpolicy.Choice) *tier {
	if id == readpolicy.L1 {
		return &r.l1
	}
	return &r.l2
}

func (r *read) update(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// run lets p read.
func (r *read) run(p readpolicy.Policy) {
	returned := false
	var choice readpolicy.Choice
	var err error
	defer func() {
		v := recover()
		if v == nil && !returned {
			v = "runtime.Goexit"
		}
		r.update(func() {
			r.answered, r.at, r.left = true, time.Now(), r.ctx.Err() != nil
			r.choice, r.err, r.panicked = choice, err, v
		})
	}()
	choice, err = p.Read(r.ctx, &r.l1, &r.l2)
	returned = true
}

// stop ends the policy's time to answer.
func (r *read) stop() {
	r.update(func() { r.stuck = !r.answered })
}

// story tells what has happened, for the text of a violation.
func (r *read) story() string {
	var parts []string
	for _, c := range r.calls {
		part := nameOf(c.tier) + " "
		switch {
		case !c.ended:
			part += "has not ended"
		case c.late:
			part += "came after the answer"
		case !c.timely:
			part += c.result() + " after the answer"
		default:
			part += c.result()
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		parts = append(parts, "no tier asked")
	}
	switch {
	case r.stuck:
		parts = append(parts, "no answer")
	case r.panicked != nil:
		parts = append(parts, fmt.Sprintf("panic: %v", r.panicked))
	case r.err != nil:
		parts = append(parts, nameOf(r.choice), fmt.Sprintf("error: %v", r.err))
	default:
		parts = append(parts, nameOf(r.choice), "nil")
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), "\n", "; ")
}

func nameOf(c readpolicy.Choice) string {
	switch c {
	case readpolicy.None:
		return "None"
	case readpolicy.L1:
		return "L1"
	case readpolicy.L2:
		return "L2"
	default:
		return fmt.Sprintf("Choice(%d)", c)
	}
}

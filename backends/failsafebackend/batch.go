package failsafebackend

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/tiercache/tiercache/backends"
)

var _ backends.Batcher[any] = (*Backend[any])(nil)

// GetMany reads from the backend. The batch is one call to the policies, which fails if an
// element shows that the store is not healthy. A further attempt reads the elements whose
// error may be gone then. Errors of elements are those of [Backend.Get].
func (b *Backend[V]) GetMany(ctx context.Context, keys []string, got []backends.Got[V]) {
	if backends.RefuseReads(ctx, keys, got) {
		return
	}
	if !b.able.Batches {
		b.optional.GetMany(ctx, keys, got)
		return
	}
	e := newElements(len(keys), b.certain)
	e.make = func(ctx context.Context, todo []int, end func(i int, err error, keep func())) {
		asked, answers := make([]string, len(todo)), make([]backends.Got[V], len(todo))
		for k, i := range todo {
			asked[k] = keys[i]
		}
		b.optional.GetMany(ctx, asked, answers)
		for k, i := range todo {
			end(i, answers[k].Err, func() { got[i] = answers[k] })
		}
	}
	e.again = func(i int) bool { return !backends.FromHealthyStore(e.errs[i]) }
	runBatch(ctx, b, "get", e, func(i int, err error) { got[i] = backends.Got[V]{Err: err} })
}

// WriteMany makes the changes. The batch is one call to the policies, which fails if an
// element shows that the store is not healthy. A further attempt, whichever policy asks
// for it, makes those changes that certainly were not applied, unless a later one of the
// same key in the batch may have been: that would turn them round. Errors of elements are
// those of [Backend.Set].
func (b *Backend[V]) WriteMany(ctx context.Context, writes []backends.Write[V], done []backends.Done) {
	if backends.RefuseWrites(ctx, writes, done) {
		return
	}
	if !b.able.Batches {
		b.optional.WriteMany(ctx, writes, done)
		return
	}
	e := newElements(len(writes), b.certain)
	e.make = func(ctx context.Context, todo []int, end func(i int, err error, keep func())) {
		asked, answers := make([]backends.Write[V], len(todo)), make([]backends.Done, len(todo))
		for k, i := range todo {
			asked[k] = writes[i]
		}
		b.optional.WriteMany(ctx, asked, answers)
		for k, i := range todo {
			end(i, answers[k].Err, func() { done[i] = answers[k] })
		}
	}
	later := laterOf(writes)
	e.again = func(i int) bool {
		return e.notApplied[i] == e.attempts[i] && (later[i] < 0 || e.repeats(later[i]))
	}
	runBatch(ctx, b, "write", e, func(i int, err error) { done[i] = backends.Done{Err: err} })
}

// laterOf returns for each write the place of the next one of the same key, or -1.
func laterOf[V any](writes []backends.Write[V]) []int {
	later, next := make([]int, len(writes)), make(map[string]int, len(writes))
	for i := len(writes) - 1; i >= 0; i-- {
		later[i] = -1
		if j, ok := next[writes[i].Key]; ok {
			later[i] = j
		}
		next[writes[i].Key] = i
	}
	return later
}

// elements are those of a batch, each with its own outcome over all attempts.
type elements struct {
	make    func(ctx context.Context, todo []int, end func(i int, err error, keep func()))
	again   func(i int) bool // whether an element that failed may be repeated
	certain func(err error) bool

	mu         sync.Mutex
	attempts   []int
	notApplied []int
	running    []bool
	done       []bool
	errs       []error // of the last attempt that failed
}

func newElements(n int, certain func(err error) bool) *elements {
	return &elements{
		certain:  certain,
		attempts: make([]int, n), notApplied: make([]int, n),
		running: make([]bool, n), done: make([]bool, n), errs: make([]error, n),
	}
}

// repeats reports whether a further attempt makes element i.
func (e *elements) repeats(i int) bool {
	return !e.done[i] && !e.running[i] && (e.attempts[i] == 0 || passes(e.errs[i]) && e.again(i))
}

// begin returns the elements of an attempt.
func (e *elements) begin() (todo []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.done {
		if e.repeats(i) {
			todo = append(todo, i)
		}
	}
	for _, i := range todo {
		e.attempts[i]++
		e.running[i] = true
	}
	return todo
}

// attempt makes those elements that are left.
func (e *elements) attempt(ctx context.Context) (err error) {
	todo := e.begin()
	if len(todo) == 0 {
		return errOver
	}
	end := func(i int, err error, keep func()) {
		if !e.running[i] {
			return
		}
		e.running[i] = false
		if err == nil {
			e.done[i] = true
			keep()
			return
		}
		e.errs[i] = withContextError(ctx, err)
		if e.certain(e.errs[i]) {
			e.notApplied[i]++
		}
	}
	defer func() {
		if v := recover(); v != nil {
			err = &backends.PanicError{Value: v, Stack: debug.Stack()}
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, i := range todo {
				end(i, err, nil)
			}
		}
	}()
	e.make(ctx, todo, func(i int, err error, keep func()) {
		e.mu.Lock()
		defer e.mu.Unlock()
		end(i, err, keep)
	})
	return e.failure(todo)
}

// failure returns the error of an attempt to the policies: that of an element which shows
// that the store is not healthy, or else of one that may be repeated, or else, if all
// have failed, of the first.
func (e *elements) failure(todo []int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var repeatable error
	failed := 0
	for _, i := range todo {
		switch {
		case e.done[i]:
			continue
		case healthOf(nil, e.errs[i]) == unhealthy:
			return e.errs[i]
		case repeatable == nil && e.repeats(i):
			repeatable = e.errs[i]
		}
		failed++
	}
	if repeatable == nil && failed == len(e.done) {
		return e.errs[todo[0]]
	}
	return repeatable
}

// left reports whether a further attempt would make any element.
func (e *elements) left() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.done {
		if e.repeats(i) {
			return true
		}
	}
	return false
}

// runBatch makes the attempts of a batch, and puts errors into the places of the elements
// that failed.
func runBatch[V any](ctx context.Context, b *Backend[V], op string, e *elements, fail func(i int, err error)) {
	stopped := backends.ContextError(ctx)
	if stopped == nil && len(e.done) > 0 {
		c := &call[struct{}]{again: e.left, try: func(ctx context.Context) (struct{}, error) {
			return struct{}{}, e.attempt(ctx)
		}}
		policyErr := run(ctx, b, c)
		if policyErr == nil && !c.done {
			policyErr = ErrNotAsked
		}
		stopped = withContextError(ctx, policyErr)
		if c.last != nil && (errors.Is(policyErr, c.last) || errors.Is(c.last, policyErr)) {
			stopped = nil
		}
	}
	for i, err := range e.errs {
		switch {
		case e.done[i]:
		case e.attempts[i] == 0:
			fail(i, &RefusedError{Op: op, Err: stopped})
		case e.attempts[i] == 1 && (stopped == nil || !e.repeats(i)):
			fail(i, err)
		default:
			fail(i, &Error{
				Op: op, Attempts: e.attempts[i], Err: err, Stopped: stopped, notApplied: e.notApplied[i] == e.attempts[i],
			})
		}
	}
}

package backendtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tiercache/tiercache/backends"
)

// testNilContext finds a call that does not refuse a nil context.
func testNilContext[V any](c check[V]) {
	c.changesNothing("a nil context", func() {
		for _, call := range append(c.everyCall(), c.everyOtherCall()...) {
			c.refuses(call.name+" with a nil context", func() error {
				var none context.Context
				return call.make(none, "k", 2)
			})
		}
	})
}

// everyOtherCall returns the calls that take a context and are not among those of everyCall,
// because no store is asked or because a store may ignore the end of their context.
func (c check[V]) everyOtherCall() (all []anyCall[V]) {
	if s, ok := c.b.(backends.Stager[V]); ok {
		all = append(all, anyCall[V]{"the function of Stage", func(ctx context.Context, key string, i int) error {
			set, err := s.Stage(c.t.Context(), key, backends.Entry[V]{Value: c.Value(i)}) //nolint:contextcheck // ctx is nil
			if err != nil {
				return backends.NotApplied(err) // other tests report it
			}
			return set(ctx)
		}})
	}
	if f, ok := c.b.(backends.FreshGetter[V]); ok && backends.AsStamped(c.b) != nil {
		all = append(all, anyCall[V]{"GetFresh", func(ctx context.Context, key string, _ int) error {
			_, _, err := f.GetFresh(ctx, key, 1)
			return err
		}})
	}
	if w := backends.AsWalker(c.b); w != nil {
		all = append(all, anyCall[V]{"Walk", func(ctx context.Context, _ string, _ int) error {
			return w.Walk(ctx, func(string, backends.Stamp) bool { return true })
		}})
	}
	if w := backends.AsWatcher(c.b); w != nil {
		all = append(all, anyCall[V]{"Watch", func(ctx context.Context, _ string, _ int) error {
			return w.Watch(ctx, new(told))
		}})
	}
	return all
}

// testArguments finds a nil write or sink, or a batch with more or fewer results than elements, that
// is not refused.
func testArguments[V any](c check[V]) {
	c.changesNothing("an argument that cannot be served", func() {
		if v := c.versioned(); v != nil {
			c.refuses("Write of nil", func() error {
				_, err := v.Write(c.t.Context(), nil)
				return err
			})
		}
		if w := backends.AsWatcher(c.b); w != nil {
			ctx, cancel := context.WithCancel(c.t.Context())
			defer cancel()
			c.refuses("Watch with a nil sink", func() error { return w.Watch(ctx, nil) })
		}
		if b := backends.AsBatcher(c.b); b != nil {
			for _, results := range []int{0, 1, 3} {
				c.unequalBatches(b, results)
			}
		}
	})
}

// unequalBatches makes batches of two elements with another number of results.
func (c check[V]) unequalBatches(b backends.Batcher[V], results int) {
	none := results == 0 // there is no place for an error
	c.refusesAs(none, fmt.Sprintf("GetMany of 2 keys with %d results", results), func() error {
		got := make([]backends.Got[V], results)
		b.GetMany(c.t.Context(), []string{"k", "other"}, got)
		var errs []error
		for _, g := range got {
			errs = append(errs, errorOrMissing(g.Err))
		}
		return errors.Join(errs...)
	})
	c.refusesAs(none, fmt.Sprintf("WriteMany of 2 writes with %d results", results), func() error {
		done := make([]backends.Done, results)
		b.WriteMany(c.t.Context(), []backends.Write[V]{c.setOf("k", 2), deleteOf[V]("k")}, done)
		var errs []error
		for _, d := range done {
			errs = append(errs, errorOrMissing(d.Err))
		}
		return errors.Join(errs...)
	})
}

// errMissing stands for a result without an error.
var errMissing = errors.New("a result has no error")

func errorOrMissing(err error) error {
	if err == nil {
		return errMissing
	}
	return err
}

// changesNothing reports a key that differs after calls that had to be refused.
func (c check[V]) changesNothing(reason string, calls func()) {
	_ = c.b.Set(c.t.Context(), "k", backends.Entry[V]{Value: c.Value(1)}) // other tests report its errors
	before, had, err := c.b.Get(c.t.Context(), "k")
	calls()
	if err != nil {
		return
	}
	after, has, err := c.b.Get(c.t.Context(), "k")
	if err != nil || had != has || had && !c.Equal(before.Value, after.Value) {
		c.t.Errorf("Get after calls with %s: %s, hit: %t, error: %v; before them %s, hit: %t",
			reason, show(after.Value), has, err, show(before.Value), had)
	}
}

// refuses reports a call that must return an error that is certainly not applied, and does not.
func (c check[V]) refuses(name string, call func() error) { c.refusesAs(false, name, call) }

// refusesAs is refuses for a call that may have no error to return if quiet is true.
func (c check[V]) refusesAs(quiet bool, name string, call func() error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), c.Patience)
	defer cancel()
	var panicked any
	ended, err := c.inTime(ctx, func() error {
		defer func() { panicked = recover() }()
		return call()
	})
	switch {
	case !ended:
		c.t.Errorf("%s has not returned within %v, want an error at once", name, c.Patience)
	case panicked != nil:
		c.t.Errorf("%s: panic: %v", name, panicked)
	case err == nil && !quiet, err != nil && !backends.CertainlyNotApplied(err):
		c.t.Errorf("%s: %v, want an error that is certainly not applied", name, err)
	}
}

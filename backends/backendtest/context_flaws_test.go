package backendtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// intercepted does something before each call of the store, and fails with the
// error of that.
type intercepted struct {
	*store
	before func(ctx context.Context, call, key string, e entry) error
}

func (b intercepted) Get(ctx context.Context, key string) (e entry, ok bool, err error) {
	if err := b.begin(ctx, "get", key, entry{}); err != nil {
		return entry{}, false, err
	}
	return b.store.Get(ctx, key)
}

func (b intercepted) GetValue(ctx context.Context, key string) (value string, ok bool, err error) {
	e, ok, err := b.Get(ctx, key)
	return e.Value, ok, err
}

func (b intercepted) Set(ctx context.Context, key string, e entry) error {
	if err := b.begin(ctx, "set", key, e); err != nil {
		return err
	}
	return b.store.Set(ctx, key, e)
}

func (b intercepted) Delete(ctx context.Context, key string) error {
	if err := b.begin(ctx, "delete", key, entry{}); err != nil {
		return err
	}
	return b.store.Delete(ctx, key)
}

// begin leaves calls that the store refuses to it.
func (b intercepted) begin(ctx context.Context, call, key string, e entry) error {
	if ctx == nil {
		return nil
	}
	return b.before(ctx, call, key, e)
}

func before(f func(ctx context.Context, call, key string, e entry) error) func() backends.Backend[string] {
	return func() backends.Backend[string] { return intercepted{newStore(), f} }
}

// hangable is a store that a test can make hang. It then shows the flaw.
type hangable struct {
	*store
	hanging chan struct{} // closed when it is to hang
	flaw    func(ctx context.Context) error
}

func newHangable(flaw func(ctx context.Context) error) func() backends.Backend[string] {
	return func() backends.Backend[string] {
		h := hangable{store: newStore(), hanging: make(chan struct{}), flaw: flaw}
		return intercepted{h.store, func(ctx context.Context, call, _ string, _ entry) error {
			select {
			case <-h.hanging:
				return h.flaw(ctx)
			default:
				if call == "hang" {
					close(h.hanging)
				}
				return nil
			}
		}}
	}
}

func hang(_ *testing.T, b backends.Backend[string]) {
	_ = b.(intercepted).before(context.Background(), "hang", "", entry{}) //nolint:usetesting // the call takes no time
}

func contextFlaws() map[string]flaw {
	const slow = 3 * time.Second
	ends := []string{"calls-end-with-their-contexts"}
	hangs := []string{"calls-end-while-the-store-hangs"}
	return map[string]flaw{
		"reads take three seconds": {
			backend: before(func(_ context.Context, call, _ string, _ entry) error {
				if call == "get" {
					time.Sleep(slow)
				}
				return nil
			}),
			// So late, an entry has expired.
			found: append(ends, "entry-expires"),
		},
		"writes take three seconds": {
			backend: before(func(_ context.Context, call, _ string, _ entry) error {
				if call == "set" {
					time.Sleep(slow)
				}
				return nil
			}),
			found: append(ends, "entry-expires"),
		},
		"deletes take three seconds": {
			backend: before(func(_ context.Context, call, _ string, _ entry) error {
				if call == "delete" {
					time.Sleep(slow)
				}
				return nil
			}),
			found: ends,
		},
		"the end of the context is noticed late": {
			backend: before(func(ctx context.Context, _, _ string, _ entry) error {
				if ctx.Err() != nil {
					time.Sleep(slow)
				}
				return ctx.Err()
			}),
			found: ends,
		},
		"a call whose context has ended never returns": {
			backend: before(func(ctx context.Context, _, _ string, _ entry) error {
				if ctx.Err() != nil {
					<-make(chan struct{})
				}
				return nil
			}),
			// In a bubble, a goroutine that is left behind is told at its end.
			found: append(ends, "outcome-under-a-cancelled-context", "errors-quote-no-key-and-no-value"),
		},
		"a deadline is noticed late": {
			backend: before(func(ctx context.Context, _, _ string, _ entry) error {
				if deadline, ok := ctx.Deadline(); ok {
					time.Sleep(time.Until(deadline) + 1100*time.Millisecond)
				}
				return ctx.Err()
			}),
			found: ends,
		},
		"a store that hangs is waited for": {
			backend: newHangable(func(context.Context) error { time.Sleep(slow); return nil }),
			hang:    hang,
			found:   hangs,
		},
		"a store that hangs is waited for for ever": {
			backend: newHangable(func(context.Context) error { <-make(chan struct{}); return nil }),
			hang:    hang,
			found:   hangs,
		},
		"a store that hangs is no error": {
			backend: newHangable(func(ctx context.Context) error { <-ctx.Done(); return nil }),
			hang:    hang,
			found:   hangs,
		},
		"a store that hangs is another error": {
			backend: newHangable(func(ctx context.Context) error { <-ctx.Done(); return errors.New("the store hangs") }),
			hang:    hang,
			found:   hangs,
		},
	}
}

// A backend that hangs and obeys its contexts passes, by either error.
func TestSuite_Hang(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context) error{
		"error": context.Context.Err,
		"cause": context.Cause,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := suite(newHangable(func(ctx context.Context) error { <-ctx.Done(); return end(ctx) }))
			s.Hang = hang
			s.Run(t)
		})
	}
	s := suite(func() backends.Backend[string] { return backendtest.WithFaults(newStore()) })
	s.Hang = func(_ *testing.T, b backends.Backend[string]) {
		for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
			b.(*backendtest.Faults[string]).Always(call, backendtest.Hang())
		}
	}
	s.Run(t)
}

func TestSuite_Patience(t *testing.T) {
	t.Parallel()
	s := suite(contextFlaws()["the end of the context is noticed late"].backend)
	for patience, failures := range map[time.Duration]int{0: 1, 2900 * time.Millisecond: 1, 3100 * time.Millisecond: 0} {
		s.Patience = patience
		assert.Len(t, s.Failures(t), failures, "patience %v", patience)
	}
}

// Outside of a bubble nothing else is held up by a call that never returns.
func TestSuite_ReportsCallsThatNeverReturn(t *testing.T) {
	if isChild(t) {
		s := suite(contextFlaws()["a call whose context has ended never returns"].backend)
		s.Bubble = false
		s.Patience = 50 * time.Millisecond
		s.Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestSuite_ReportsCallsThatNeverReturn")
	assert.Contains(t, out, "Get has not returned 50ms after its context ended, which was cancelled before the call")
	assert.Equal(t, len(backendtest.NamesOfTests())-1, strings.Count(out, "--- PASS: TestSuite_ReportsCallsThatNeverReturn/"), out)
}

package readpolicy_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
)

// found is what a tier has: a value, nothing, or an error.
type found int

const (
	hit found = iota
	miss
	failure
)

func (f found) String() string { return [...]string{"hit", "miss", "error"}[f] }

var (
	every   = []found{hit, miss, failure}
	nothing = []found{miss, failure}
)

// fakeTier is a tier that answers what a test sets.
type fakeTier struct {
	answer readpolicy.Answer
	err    error
	hold   chan struct{} // until it is closed, reads wait; nil: they do not

	reads atomic.Int32 // begun
	over  atomic.Bool  // a read has ended because its context had
}

var _ readpolicy.Tier = (*fakeTier)(nil)

var (
	errL1 = errors.New("l1 fails")
	errL2 = errors.New("l2 fails")
)

func newTiers(l1, l2 found) (first, second *fakeTier) {
	return newTier(l1, errL1), newTier(l2, errL2)
}

func newTier(has found, err error) *fakeTier {
	f := new(fakeTier)
	switch has {
	case hit:
		f.answer.Hit = true
	case failure:
		f.answer.Hit, f.err = true, err // an answer beside an error does not count
	}
	return f
}

func (f *fakeTier) Read(ctx context.Context) (answer readpolicy.Answer, err error) {
	f.reads.Add(1)
	if f.hold != nil {
		select {
		case <-f.hold:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		f.over.Store(true)
		return readpolicy.Answer{}, context.Cause(ctx)
	}
	return f.answer, f.err
}

func (f *fakeTier) Go(ctx context.Context, done func(answer readpolicy.Answer, err error)) {
	go func() { done(f.Read(ctx)) }()
}

// held makes the reads of f wait until f.hold is closed. It is used in a bubble.
func held(f *fakeTier) *fakeTier {
	f.hold = make(chan struct{})
	return f
}

// pending is a read of a policy in a goroutine of its own. It is used in a
// bubble.
type pending struct{ answers chan answer }

type answer struct {
	choice readpolicy.Choice
	err    error
}

// start begins a read and returns when it can go no further.
func start(t *testing.T, p readpolicy.Policy, l1, l2 readpolicy.Tier) pending {
	t.Helper()
	r := pending{answers: make(chan answer, 1)}
	go func() {
		choice, err := p.Read(t.Context(), l1, l2)
		r.answers <- answer{choice, err}
	}()
	synctest.Wait()
	return r
}

// waits requires that the policy does not answer yet.
func (r pending) waits(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-r.answers:
		require.Fail(t, "the policy has answered", "%v", a)
	default:
	}
}

// answer requires that the policy answers now.
func (r pending) answer(t *testing.T) (choice readpolicy.Choice, err error) {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-r.answers:
		return a.choice, a.err
	default:
		require.Fail(t, "the policy does not answer")
		return readpolicy.None, nil
	}
}

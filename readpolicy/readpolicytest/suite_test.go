package readpolicytest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/readpolicy/readpolicytest"
)

func violations(t *testing.T, p readpolicy.Policy) []error {
	t.Helper()
	return readpolicytest.Suite{New: func(*testing.T) readpolicy.Policy { return p }}.Violations(t)
}

func TestRun_BuiltinPolicies(t *testing.T) {
	t.Parallel()
	for _, p := range []readpolicy.Policy{
		readpolicy.Sequential(),
		readpolicy.Race(readpolicy.CancelLoser()),
	} {
		t.Run(readpolicy.NameOf(p), func(t *testing.T) {
			t.Parallel()
			readpolicytest.Run(t, p)
		})
	}
}

// result is what a tier has answered.
type result struct {
	tier   readpolicy.Choice
	answer readpolicy.Answer
	err    error
}

func (r result) hit() bool { return r.err == nil && r.answer.Hit }

// both begins to ask both tiers. L1 is not always the first.
func both(ctx context.Context, l1, l2 readpolicy.Tier) <-chan result {
	results := make(chan result, 2)
	l1.Go(ctx, func(a readpolicy.Answer, err error) { results <- result{readpolicy.L1, a, err} })
	l2.Go(ctx, func(a readpolicy.Answer, err error) { results <- result{readpolicy.L2, a, err} })
	return results
}

// insist asks each tier three times.
func insist(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	try := func(t readpolicy.Tier) (a readpolicy.Answer, err error) {
		for i := range 3 {
			if a, err = t.Read(ctx); err == nil {
				return a, nil
			}
			time.Sleep(time.Second << i)
		}
		return a, err
	}
	a2, err2 := try(l2)
	if a2.Hit {
		return readpolicy.L2, nil
	}
	a1, err1 := try(l1)
	if a1.Hit {
		return readpolicy.L1, nil
	}
	return readpolicy.None, errors.Join(err1, err2)
}

// deadlines gives each tier a second.
func deadlines(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return readpolicy.Parallel().Read(ctx, l1, l2)
}

// hedge asks L2, too, when L1 has not answered in a while.
func hedge(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	first := make(chan result, 1)
	l1.Go(ctx, func(a readpolicy.Answer, err error) { first <- result{readpolicy.L1, a, err} })
	var r1 result
	select {
	case r1 = <-first:
		if r1.hit() {
			return readpolicy.L1, nil
		}
		first <- r1 // for below
	case <-time.After(time.Millisecond):
	}
	a2, err2 := l2.Read(ctx)
	if err2 == nil && a2.Hit {
		return readpolicy.L2, nil
	}
	if r1 = <-first; r1.hit() {
		return readpolicy.L1, nil
	}
	return readpolicy.None, errors.Join(r1.err, err2)
}

// impatient answers as soon as the caller has left.
func impatient(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	results := both(ctx, l1, l2)
	var errs []error
	for range 2 {
		select {
		case r := <-results:
			if r.hit() {
				return r.tier, nil
			}
			errs = append(errs, r.err)
		case <-ctx.Done():
			return readpolicy.None, errors.Join(append(errs, ctx.Err())...)
		}
	}
	return readpolicy.None, errors.Join(errs...)
}

func TestViolations_NoneOfGoodPolicies(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]readpolicy.PolicyFunc{
		"asking again": insist,
		"deadlines":    deadlines,
		"hedging":      hedge,
		"impatience":   impatient,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, violations(t, f))
		})
	}
}

// worker hands its reads to a goroutine that outlives them.
type worker struct{ jobs chan func() }

func newWorker(t *testing.T) readpolicy.Policy {
	w := worker{jobs: make(chan func())}
	go func() {
		for job := range w.jobs {
			job()
		}
	}()
	t.Cleanup(func() { close(w.jobs) })
	return w
}

func (w worker) Read(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
	done := make(chan struct{})
	w.jobs <- func() {
		defer close(done)
		choice, err = readpolicy.Sequential().Read(ctx, l1, l2)
	}
	<-done
	return choice, err
}

func TestViolations_NoneOfPolicyWithWorker(t *testing.T) {
	t.Parallel()
	assert.Empty(t, readpolicytest.Suite{New: newWorker}.Violations(t))
}

// counting is a policy whose Name is as a test wants it.
type counting struct {
	readpolicy.Policy
	name  func(call int64) string
	calls *atomic.Int64
}

func (c counting) Name() string { return c.name(c.calls.Add(1)) }

func TestViolations_Name(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		name func(int64) string
		want []string
	}{
		"good":       {name: func(int64) string { return "good_2" }},
		"camel case": {name: func(int64) string { return "goodPolicy" }, want: []string{`Name must be in snake case: "goodPolicy"`}},
		"empty":      {name: func(int64) string { return "" }, want: []string{`Name must be in snake case: ""`}},
		"underscore": {name: func(int64) string { return "a__b" }, want: []string{`Name must be in snake case: "a__b"`}},
		"other name when asked again": {
			name: func(call int64) string { return []string{"one", "two"}[min(call-1, 1)] },
			want: []string{`Name must always return the same name: "one", then "two"`},
		},
		"other name later": {
			name: func(call int64) string { return []string{"one", "one", "two"}[min(call-1, 2)] },
			want: []string{`Name must always return the same name: "one", then "two"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := counting{Policy: readpolicy.Parallel(), name: tc.name, calls: new(atomic.Int64)}
			var got []string
			for _, v := range violations(t, p) {
				got = append(got, v.Error())
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// child runs a test of this binary by itself, where it fails, and returns what
// it prints.
func child(t *testing.T, test string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(slices.Clone(os.Environ()), "READPOLICYTEST_CHILD="+test)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the child should fail:\n%s", out)
	return string(out)
}

func isChild(t *testing.T) bool {
	t.Helper()
	return os.Getenv("READPOLICYTEST_CHILD") == t.Name()
}

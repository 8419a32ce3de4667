package policytest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
	"github.com/tiercache/tiercache/writepolicy/policytest"
)

func violations(t *testing.T, p writepolicy.Policy) []error {
	t.Helper()
	return policytest.Suite{New: func(*testing.T) writepolicy.Policy { return p }}.Violations(t)
}

func TestRun_BuiltinPolicies(t *testing.T) {
	t.Parallel()
	for _, p := range []writepolicy.Policy{
		writepolicy.Sequential(),
		writepolicy.Race(writepolicy.CancelLoser()),
	} {
		t.Run(writepolicy.NameOf(p), func(t *testing.T) {
			t.Parallel()
			policytest.Run(t, p)
		})
	}
}

// backoff tries each tier three times.
func backoff(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	try := func(tier writepolicy.Tier) (err error) {
		for i := range 3 {
			if err = tier.Write(ctx); err == nil {
				return nil
			}
			time.Sleep(time.Second << i)
		}
		return err
	}
	return errors.Join(try(l1), try(l2))
}

// ownGoroutines writes both tiers in goroutines that it waits for, under a
// context of its own.
func ownGoroutines(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	var errs [2]error
	var wg sync.WaitGroup
	for i, tier := range []writepolicy.Tier{l1, l2} {
		wg.Go(func() { errs[i] = tier.Write(ctx) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

// strict refuses deletes and goes on when L1 fails, but calls that off: the
// second tier is skipped.
func strict(ctx context.Context, op writepolicy.Op, l1, l2 writepolicy.Tier) error {
	if op.Kind == tier.Delete {
		return errors.New("deletes are refused")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := l1.Write(ctx)
	if err != nil {
		cancel()
	}
	if err2 := l2.Write(ctx); err == nil {
		err = err2
	}
	return err
}

// failFast answers with the first failure, and calls the other write off.
func failFast(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make(chan error, 2)
	l1.Go(ctx, func(err error) { errs <- err })
	l2.Go(ctx, func(err error) { errs <- err })
	err := <-errs
	for range 100 {
		runtime.Gosched() // the other one has probably failed too, but who knows
	}
	if err != nil {
		return err
	}
	return <-errs
}

func TestViolations_NoneOfGoodPolicies(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]writepolicy.PolicyFunc{
		"backoff":               backoff,
		"failing fast":          failFast,
		"goroutines of its own": ownGoroutines,
		"refusals and skipping": strict,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, violations(t, f))
		})
	}
}

// worker hands its writes to a goroutine that outlives them.
type worker struct{ jobs chan func() }

func newWorker(t *testing.T) writepolicy.Policy {
	w := worker{jobs: make(chan func())}
	go func() {
		for job := range w.jobs {
			job()
		}
	}()
	t.Cleanup(func() { close(w.jobs) })
	return w
}

func (w worker) Write(ctx context.Context, _ writepolicy.Op, l1, l2 writepolicy.Tier) error {
	answer := make(chan error)
	w.jobs <- func() { answer <- errors.Join(l1.Write(ctx), l2.Write(ctx)) }
	return <-answer
}

func TestViolations_NoneOfPolicyWithWorker(t *testing.T) {
	t.Parallel()
	assert.Empty(t, policytest.Suite{New: newWorker}.Violations(t))
}

// counting is a policy whose Name and Validate are as a test wants them.
type counting struct {
	writepolicy.Policy
	name    func(call int64) string
	invalid error
	calls   *atomic.Int64
}

func (c counting) Name() string    { return c.name(c.calls.Add(1)) }
func (c counting) Validate() error { return c.invalid }

func TestViolations_NameAndOptions(t *testing.T) {
	t.Parallel()
	good := func(int64) string { return "good_2" }
	for name, tc := range map[string]struct {
		name    func(int64) string
		invalid error
		want    []string
	}{
		"good":       {name: good},
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
		"invalid": {
			name: good, invalid: errors.New("a limit is negative"),
			want: []string{"Validate must accept the policy: a limit is negative"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := counting{Policy: writepolicy.Parallel(), name: tc.name, invalid: tc.invalid, calls: new(atomic.Int64)}
			var got []string
			for _, v := range violations(t, p) {
				got = append(got, v.Error())
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// child runs a test of this binary by itself, where it fails, and returns its output.
func child(t *testing.T, test string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(slices.Clone(os.Environ()), "POLICYTEST_CHILD="+test)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the child should fail:\n%s", out)
	return string(out)
}

func isChild(t *testing.T) bool {
	t.Helper()
	return os.Getenv("POLICYTEST_CHILD") == t.Name()
}

func TestRun_ReportsViolations(t *testing.T) {
	if isChild(t) {
		policytest.Run(t, writepolicy.PolicyFunc(flatten))
		return
	}
	t.Parallel()
	out := child(t, "TestRun_ReportsViolations")
	assert.Contains(t, out, "--- FAIL: TestRun_ReportsViolations/set-no-tier-late")
	assert.Contains(t, out, "an error must contain the errors of the tiers: set: l1 set failed, l2 set applied, error: ")
	assert.Contains(t, out, "--- PASS: TestRun_ReportsViolations/name")
	assert.Equal(t, 0, strings.Count(out, "panic:"), out)
}

func TestRun_NeedsPolicy(t *testing.T) {
	if isChild(t) {
		policytest.Run(t, nil)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestRun_NeedsPolicy"), "policytest: the policy is nil")
}

func TestRun_NeedsNew(t *testing.T) {
	if isChild(t) {
		policytest.Suite{}.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestRun_NeedsNew"), "policytest: Suite needs New")
}

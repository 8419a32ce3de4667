package tier_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

func tierError(id tier.ID, call string, outcome tier.Outcome, text string) *tier.Error {
	return &tier.Error{Tier: id, Call: call, Result: outcome, Err: errors.New(text)}
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	lost := tier.Result{Outcome: unkn, Err: tierError(tier.L2, "set", unkn, "connection lost")}
	full := tier.Result{Outcome: fail, Err: tierError(tier.L1, "set", fail, "full")}
	for name, tc := range map[string]struct {
		err  tier.WriteError
		want string
	}{
		"L2 may be stale": {
			tier.WriteError{Kind: tier.Set, Policy: "sequential", L1: tier.Result{Outcome: appl}, L2: lost, Verdict: tier.Verdict{Stale: tier.L2}},
			"tiercache: set (sequential): l1 applied; l2 set unknown: connection lost; the tiers may differ: l2 may be stale",
		},
		"L1 may be stale": {
			tier.WriteError{Kind: tier.Set, Policy: "parallel", L1: full, L2: tier.Result{Outcome: appl}, Verdict: tier.Verdict{Stale: tier.L1}},
			"tiercache: set (parallel): l1 set failed: full; l2 applied; the tiers may differ: l1 may be stale",
		},
		"either may be stale": {
			tier.WriteError{
				Kind: tier.Delete, Policy: "parallel",
				L1: tier.Result{Outcome: unkn, Err: tierError(tier.L1, "delete", unkn, "panic")},
				L2: tier.Result{Outcome: unkn, Err: tierError(tier.L2, "delete", unkn, "timeout")},
			},
			"tiercache: delete (parallel): l1 delete unknown: panic; l2 delete unknown: timeout; the tiers may differ",
		},
		"L2 may have kept what was deleted": {
			tier.WriteError{
				Kind: tier.Delete, Policy: "sequential",
				L1:      tier.Result{Outcome: appl},
				L2:      tier.Result{Outcome: unkn, Err: tierError(tier.L2, "delete", unkn, "timeout")},
				Verdict: tier.Verdict{Stale: tier.L2},
			},
			"tiercache: delete (sequential): l1 applied; l2 delete unknown: timeout; " +
				"the tiers may differ: l2 may still have the entry",
		},
		"nothing was changed": {
			tier.WriteError{Kind: tier.Set, Policy: "sequential", L1: full, Verdict: tier.Verdict{Consistent: true}},
			"tiercache: set (sequential): l1 set failed: full; l2 skipped; neither tier was changed",
		},
		"resolved": {
			tier.WriteError{
				Kind: tier.Set, Policy: "sequential",
				L1: tier.Result{Outcome: appl, Compensation: appl}, L2: lost,
				Verdict: tier.Verdict{Stale: tier.L2, Resolved: true},
			},
			"tiercache: set (sequential): l1 applied; l2 set unknown: connection lost; " +
				"the copy in l1 was dropped, so the tiers do not differ",
		},
		"the copy could not be dropped": {
			tier.WriteError{
				Kind: tier.Set, Policy: "sequential",
				L1: tier.Result{
					Outcome: appl, Compensation: fail,
					CompensationErr: tierError(tier.L1, "invalidate", fail, "read-only"),
				},
				L2:      lost,
				Verdict: tier.Verdict{Stale: tier.L2},
			},
			"tiercache: set (sequential): l1 applied, l1 invalidate failed: read-only; " +
				"l2 set unknown: connection lost; the tiers may differ: l2 may be stale",
		},
		"a cause, and no tier was touched": {
			tier.WriteError{Kind: tier.Set, Policy: "race", Cause: errors.New("waiting for the key's lock: context canceled"), Verdict: tier.Verdict{Consistent: true}},
			"tiercache: set (race): waiting for the key's lock: context canceled; l1 skipped; l2 skipped; neither tier was changed",
		},
		"a cause of this module": {
			tier.WriteError{Kind: tier.Set, Policy: "race", Cause: errors.New("tiercache: the cache is closed"), Verdict: tier.Verdict{Consistent: true}},
			"tiercache: set (race): the cache is closed; l1 skipped; l2 skipped; neither tier was changed",
		},
		"a policy's own error": {
			tier.WriteError{
				Kind: tier.Set, Policy: "custom", Cause: errors.New("no quorum"),
				L1: tier.Result{Outcome: appl}, L2: tier.Result{Outcome: appl},
				Verdict: tier.Verdict{Consistent: true},
			},
			"tiercache: set (custom): no quorum; l1 applied; l2 applied; both tiers were written",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.EqualError(t, &tc.err, tc.want)
		})
	}
}

func TestError_Unwrap(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	l1, l2 := tierError(tier.L1, "set", unkn, "1"), tierError(tier.L2, "set", unkn, "2")
	drop1, drop2 := tierError(tier.L1, "invalidate", fail, "3"), tierError(tier.L2, "invalidate", fail, "4")
	err := &tier.WriteError{
		Cause: cause,
		L1:    tier.Result{Outcome: unkn, Err: l1, Compensation: fail, CompensationErr: drop1},
		L2:    tier.Result{Outcome: unkn, Err: l2, Compensation: fail, CompensationErr: drop2},
	}
	assert.Equal(t, []error{cause, l1, l2, drop1, drop2}, err.Unwrap())
	for _, e := range []error{cause, l1, l1.Err, l2, l2.Err, drop1, drop1.Err, drop2, drop2.Err} {
		require.ErrorIs(t, fmt.Errorf("wrapped: %w", err), e)
	}
	assert.Empty(t, (&tier.WriteError{}).Unwrap())
	assert.Equal(t, []error{l2}, (&tier.WriteError{L2: tier.Result{Err: l2}}).Unwrap())
}

// A WriteError is ErrInconsistent exactly when the verdict is that the tiers may
// differ.
func TestError_IsErrInconsistent(t *testing.T) {
	t.Parallel()
	for v, want := range map[tier.Verdict]bool{
		{Consistent: true}:               false,
		{}:                               true,
		{Stale: tier.L1}:                 true,
		{Stale: tier.L1, Resolved: true}: false,
	} {
		err := fmt.Errorf("wrapped: %w", &tier.WriteError{Verdict: v})
		assert.Equal(t, want, errors.Is(err, tier.ErrInconsistent), "%+v", v)
		assert.NotErrorIs(t, err, context.Canceled)
	}
}

// A WriteError is certainly not applied exactly when neither tier may have applied
// the write, whatever the errors of the tiers say.
func TestError_NotApplied(t *testing.T) {
	t.Parallel()
	certain := backends.NotApplied(errors.New("refused"))
	for _, l1 := range all {
		for _, l2 := range all {
			err := fmt.Errorf("wrapped: %w", &tier.WriteError{
				L1: tier.Result{Outcome: l1, Err: certain},
				L2: tier.Result{Outcome: l2, Err: certain},
			})
			want := l1 != appl && l1 != unkn && l2 != appl && l2 != unkn
			assert.Equal(t, want, backends.CertainlyNotApplied(err), "l1 %v, l2 %v", l1, l2)
		}
	}
}

// typed is an error that knows its type.
type typed struct{}

func (typed) Error() string     { return "typed" }
func (typed) ErrorType() string { return "breaker_open" }

func TestErrorType(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"its own":                 {typed{}, "breaker_open"},
		"its own, wrapped":        {fmt.Errorf("set: %w", typed{}), "breaker_open"},
		"its own, joined":         {errors.Join(errors.New("plain"), typed{}), "breaker_open"},
		"a deadline":              {context.DeadlineExceeded, "timeout"},
		"a deadline, wrapped":     {fmt.Errorf("set: %w", context.DeadlineExceeded), "timeout"},
		"a cancellation":          {context.Canceled, "canceled"},
		"a cancellation, wrapped": {fmt.Errorf("set: %w", context.Canceled), "canceled"},
		"an error number":         {syscall.ECONNREFUSED, "connection_refused"},
		"one that is wrapped":     {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "connection_refused"},
		"a plain error":           {errors.New("plain"), "_OTHER"},
		"a wrapped one":           {fmt.Errorf("set: %w", &net.AddrError{}), "*net.AddrError"},
		"inside a carrier":        {&os.PathError{Err: &net.AddrError{}}, "*net.AddrError"},
		"a joined one":            {errors.Join(errors.New("a"), errors.New("b")), "_OTHER"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tierErr := &tier.Error{Tier: tier.L2, Call: "set", Result: unkn, Err: tc.err}
			assert.Equal(t, tc.want, tierErr.ErrorType())
			assert.Equal(t, tc.want, (&tier.WriteError{L2: tier.Result{Err: tierErr}}).ErrorType())
			assert.Equal(t, tc.want, (&tier.WriteError{Cause: tc.err}).ErrorType())
		})
	}
}

func TestError_ErrorType_IsThatOfTheFirst(t *testing.T) {
	t.Parallel()
	l1 := tierError(tier.L1, "set", unkn, "1")
	err := &tier.WriteError{L1: tier.Result{Err: l1}, L2: tier.Result{Err: typed{}}}
	assert.Equal(t, "_OTHER", err.ErrorType())
	err.Cause = context.Canceled
	assert.Equal(t, "canceled", err.ErrorType())
	assert.Equal(t, "_OTHER", (&tier.WriteError{}).ErrorType())
}

func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New(`no room for "user:4711"`)
	err := &tier.Error{Tier: tier.L2, Call: "set", Result: fail, Err: cause}
	assert.EqualError(t, err, `l2 set failed: no room for "user:4711"`)
	require.ErrorIs(t, err, cause)
	assert.Equal(t, fail, err.Outcome())

	err.Text = `no room for "[key]"`
	assert.EqualError(t, err, `l2 set failed: no room for "[key]"`)
	op := &tier.WriteError{Kind: tier.Set, Policy: "sequential", L2: tier.Result{Outcome: fail, Err: err}}
	assert.NotContains(t, op.Error(), "user:4711")
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	skipped := tierError(tier.L1, "set", skip, "skipped")
	failed := tierError(tier.L1, "set", fail, "failed")
	unknown := tierError(tier.L2, "set", unkn, "unknown")
	for name, tc := range map[string]struct {
		err  error
		want tier.Outcome
	}{
		"nil":                     {nil, appl},
		"plain":                   {errors.New("plain"), unkn},
		"skipped":                 {skipped, skip},
		"failed":                  {failed, fail},
		"unknown":                 {unknown, unkn},
		"wrapped":                 {fmt.Errorf("policy: %w", failed), fail},
		"joined, the first":       {errors.Join(failed, unknown), fail},
		"joined, the other first": {errors.Join(unknown, failed), unkn},
		"the first that knows":    {errors.Join(errors.New("plain"), failed), fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, tier.OutcomeOf(tc.err))
		})
	}
}

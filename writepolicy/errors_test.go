package writepolicy_test

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
	"github.com/tiercache/tiercache/writepolicy"
)

func tierError(tier writepolicy.TierID, call string, outcome writepolicy.Outcome, text string) *writepolicy.TierError {
	return &writepolicy.TierError{Tier: tier, Call: call, Result: outcome, Err: errors.New(text)}
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	lost := writepolicy.TierResult{Outcome: unkn, Err: tierError(writepolicy.L2, "set", unkn, "connection lost")}
	full := writepolicy.TierResult{Outcome: fail, Err: tierError(writepolicy.L1, "set", fail, "full")}
	for name, tc := range map[string]struct {
		err  writepolicy.Error
		want string
	}{
		"L2 may be stale": {
			writepolicy.Error{Kind: writepolicy.Set, Policy: "sequential", L1: writepolicy.TierResult{Outcome: appl}, L2: lost},
			"tiercache: set (sequential): l1 applied; l2 set unknown: connection lost; the tiers may differ: l2 may be stale",
		},
		"L1 may be stale": {
			writepolicy.Error{Kind: writepolicy.Set, Policy: "parallel", L1: full, L2: writepolicy.TierResult{Outcome: appl}},
			"tiercache: set (parallel): l1 set failed: full; l2 applied; the tiers may differ: l1 may be stale",
		},
		"either may be stale": {
			writepolicy.Error{
				Kind: writepolicy.Delete, Policy: "parallel",
				L1: writepolicy.TierResult{Outcome: unkn, Err: tierError(writepolicy.L1, "delete", unkn, "panic")},
				L2: writepolicy.TierResult{Outcome: unkn, Err: tierError(writepolicy.L2, "delete", unkn, "timeout")},
			},
			"tiercache: delete (parallel): l1 delete unknown: panic; l2 delete unknown: timeout; the tiers may differ",
		},
		"L2 may have kept what was deleted": {
			writepolicy.Error{
				Kind: writepolicy.Delete, Policy: "sequential",
				L1: writepolicy.TierResult{Outcome: appl},
				L2: writepolicy.TierResult{Outcome: unkn, Err: tierError(writepolicy.L2, "delete", unkn, "timeout")},
			},
			"tiercache: delete (sequential): l1 applied; l2 delete unknown: timeout; " +
				"the tiers may differ: l2 may still have the entry",
		},
		"nothing was changed": {
			writepolicy.Error{Kind: writepolicy.Set, Policy: "sequential", L1: full},
			"tiercache: set (sequential): l1 set failed: full; l2 skipped; neither tier was changed",
		},
		"resolved": {
			writepolicy.Error{
				Kind: writepolicy.Set, Policy: "sequential",
				L1: writepolicy.TierResult{Outcome: appl, Drop: appl}, L2: lost,
			},
			"tiercache: set (sequential): l1 applied; l2 set unknown: connection lost; " +
				"the copy in l1 was dropped, so the tiers do not differ",
		},
		"the copy could not be dropped": {
			writepolicy.Error{
				Kind: writepolicy.Set, Policy: "sequential",
				L1: writepolicy.TierResult{
					Outcome: appl, Drop: fail,
					DropErr: tierError(writepolicy.L1, "invalidate", fail, "read-only"),
				},
				L2: lost,
			},
			"tiercache: set (sequential): l1 applied, l1 invalidate failed: read-only; " +
				"l2 set unknown: connection lost; the tiers may differ: l2 may be stale",
		},
		"a cause, and no tier was touched": {
			writepolicy.Error{Kind: writepolicy.Set, Policy: "race", Cause: errors.New("waiting for the key's turn: context canceled")},
			"tiercache: set (race): waiting for the key's turn: context canceled; l1 skipped; l2 skipped; neither tier was changed",
		},
		"a cause of this module": {
			writepolicy.Error{Kind: writepolicy.Set, Policy: "race", Cause: errors.New("tiercache: the cache is closed")},
			"tiercache: set (race): the cache is closed; l1 skipped; l2 skipped; neither tier was changed",
		},
		"a policy's own error": {
			writepolicy.Error{
				Kind: writepolicy.Set, Policy: "custom", Cause: errors.New("no quorum"),
				L1: writepolicy.TierResult{Outcome: appl}, L2: writepolicy.TierResult{Outcome: appl},
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
	l1, l2 := tierError(writepolicy.L1, "set", unkn, "1"), tierError(writepolicy.L2, "set", unkn, "2")
	drop1, drop2 := tierError(writepolicy.L1, "invalidate", fail, "3"), tierError(writepolicy.L2, "invalidate", fail, "4")
	err := &writepolicy.Error{
		Cause: cause,
		L1:    writepolicy.TierResult{Outcome: unkn, Err: l1, Drop: fail, DropErr: drop1},
		L2:    writepolicy.TierResult{Outcome: unkn, Err: l2, Drop: fail, DropErr: drop2},
	}
	assert.Equal(t, []error{cause, l1, l2, drop1, drop2}, err.Unwrap())
	for _, e := range []error{cause, l1, l1.Err, l2, l2.Err, drop1, drop1.Err, drop2, drop2.Err} {
		require.ErrorIs(t, fmt.Errorf("wrapped: %w", err), e)
	}
	assert.Empty(t, (&writepolicy.Error{}).Unwrap())
	assert.Equal(t, []error{l2}, (&writepolicy.Error{L2: writepolicy.TierResult{Err: l2}}).Unwrap())
}

// An Error is ErrInconsistent exactly when the verdict is that the tiers may
// differ.
func TestError_IsErrInconsistent(t *testing.T) {
	t.Parallel()
	for _, l1 := range all {
		for _, l2 := range all {
			for _, dropL1 := range all {
				for _, dropL2 := range all {
					err := &writepolicy.Error{
						L1: writepolicy.TierResult{Outcome: l1, Drop: dropL1},
						L2: writepolicy.TierResult{Outcome: l2, Drop: dropL2},
					}
					v := model(l1, l2, dropL1, dropL2)
					assert.Equal(t, v, err.Verdict())
					assert.Equal(t, !v.Consistent && !v.Resolved, errors.Is(fmt.Errorf("wrapped: %w", err), writepolicy.ErrInconsistent))
					assert.NotErrorIs(t, err, context.Canceled)
				}
			}
		}
	}
}

// An Error is certainly not applied exactly when neither tier may have applied
// the write, whatever the errors of the tiers say.
func TestError_NotApplied(t *testing.T) {
	t.Parallel()
	certain := backends.NotApplied(errors.New("refused"))
	for _, l1 := range all {
		for _, l2 := range all {
			err := fmt.Errorf("wrapped: %w", &writepolicy.Error{
				L1: writepolicy.TierResult{Outcome: l1, Err: certain},
				L2: writepolicy.TierResult{Outcome: l2, Err: certain},
			})
			want := (l1 == skip || l1 == fail) && (l2 == skip || l2 == fail)
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
			tierErr := &writepolicy.TierError{Tier: writepolicy.L2, Call: "set", Result: unkn, Err: tc.err}
			assert.Equal(t, tc.want, tierErr.ErrorType())
			assert.Equal(t, tc.want, (&writepolicy.Error{L2: writepolicy.TierResult{Err: tierErr}}).ErrorType())
			assert.Equal(t, tc.want, (&writepolicy.Error{Cause: tc.err}).ErrorType())
		})
	}
}

func TestError_ErrorType_IsThatOfTheFirst(t *testing.T) {
	t.Parallel()
	l1 := tierError(writepolicy.L1, "set", unkn, "1")
	err := &writepolicy.Error{L1: writepolicy.TierResult{Err: l1}, L2: writepolicy.TierResult{Err: typed{}}}
	assert.Equal(t, "_OTHER", err.ErrorType())
	err.Cause = context.Canceled
	assert.Equal(t, "canceled", err.ErrorType())
	assert.Equal(t, "_OTHER", (&writepolicy.Error{}).ErrorType())
}

func TestTierError(t *testing.T) {
	t.Parallel()
	cause := errors.New(`no room for "user:4711"`)
	err := &writepolicy.TierError{Tier: writepolicy.L2, Call: "set", Result: fail, Err: cause}
	assert.EqualError(t, err, `l2 set failed: no room for "user:4711"`)
	require.ErrorIs(t, err, cause)
	assert.Equal(t, fail, err.Outcome())

	err.Text = `no room for "[key]"`
	assert.EqualError(t, err, `l2 set failed: no room for "[key]"`)
	op := &writepolicy.Error{Kind: writepolicy.Set, Policy: "sequential", L2: writepolicy.TierResult{Outcome: fail, Err: err}}
	assert.NotContains(t, op.Error(), "user:4711")
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	skipped := tierError(writepolicy.L1, "set", skip, "skipped")
	failed := tierError(writepolicy.L1, "set", fail, "failed")
	unknown := tierError(writepolicy.L2, "set", unkn, "unknown")
	for name, tc := range map[string]struct {
		err  error
		want writepolicy.Outcome
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
			assert.Equal(t, tc.want, writepolicy.OutcomeOf(tc.err))
		})
	}
}

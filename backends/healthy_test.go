package backends_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// feels is an error that says of itself whether its store is healthy.
type feels struct {
	healthy bool
	err     error
}

func (f feels) Error() string { return "feels" }
func (f feels) Unwrap() error { return f.err }
func (f feels) Healthy() bool { return f.healthy }

func TestFromHealthyStore(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	healthy := backends.Healthy(odd)
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"nil":               {nil, false},
		"a plain error":     {odd, false},
		"Healthy":           {healthy, true},
		"Healthy, wrapped":  {fmt.Errorf("get: %w", fmt.Errorf("store: %w", healthy)), true},
		"Healthy, as text":  {fmt.Errorf("get: %v", healthy), false}, //nolint:errorlint // it does not wrap
		"one that says yes": {feels{healthy: true}, true},
		"one that says no":  {feels{healthy: false}, false},
		"no around yes":     {feels{healthy: false, err: healthy}, false},
		"yes around no":     {feels{healthy: true, err: feels{healthy: false}}, true},

		"encode":                 {&backends.EncodeError{Err: odd}, true},
		"decode":                 {&backends.DecodeError{Err: odd}, true},
		"too large":              {&backends.TooLargeError{}, true},
		"damaged":                {&backends.DamagedError{}, true},
		"an empty key":           {backends.ErrEmptyKey, true},
		"a closed backend":       {backends.ErrClosed, false},
		"certainly not applied":  {backends.NotApplied(odd), false},
		"both":                   {backends.NotApplied(healthy), true},
		"a panic":                {&backends.PanicError{Value: "odd"}, false},
		"a panic with Healthy":   {&backends.PanicError{Value: healthy}, false},
		"a deadline":             {context.DeadlineExceeded, false},
		"not found":              {backends.ErrNotFound, false},
		"joined, all":            {errors.Join(healthy, &backends.DecodeError{Err: odd}), true},
		"joined, the first":      {errors.Join(healthy, odd), false},
		"joined, the last":       {errors.Join(odd, healthy), false},
		"several causes, none":   {causes{}, false},
		"several causes, nested": {fmt.Errorf("get: %w", causes{healthy, causes{healthy, odd}}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, backends.FromHealthyStore(tc.err))
		})
	}
}

func TestHealthy(t *testing.T) {
	t.Parallel()
	require.NoError(t, backends.Healthy(nil))
	odd := errors.New("odd")
	err := backends.Healthy(odd)
	require.ErrorIs(t, err, odd)
	require.EqualError(t, err, "odd")
	assert.False(t, backends.CertainlyNotApplied(err))
	assert.True(t, backends.CertainlyNotApplied(backends.Healthy(backends.NotApplied(odd))))
}

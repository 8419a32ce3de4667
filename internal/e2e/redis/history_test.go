package redis_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
)

// history is a number of writes of one key, one after the other, and what L2 can
// hold by what the caller was told of them.
type history struct {
	w         *fixture
	n         int
	possible  []string
	inconsist int // writes that must have been reported
}

func newHistory(w *fixture) *history { return &history{w: w, possible: []string{oldValue}} }

// write makes the next write, and checks that what it said is true as far as
// Redis can be asked.
func (h *history) write(t *testing.T) error {
	t.Helper()
	h.n++
	value := strconv.Itoa(h.n)
	err := h.w.Set(t.Context(), key, value, 0)
	var e *tier.WriteError
	switch {
	case err == nil:
		h.possible = []string{value}
	case !assert.ErrorAs(t, err, &e):
		t.FailNow()
	case e.L2.Outcome == tier.Unknown:
		h.possible = append(h.possible, value)
	}
	if e != nil && !e.Verdict.Consistent {
		h.inconsist++
	}

	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	e2, _, readErr := h.w.l2.Get(ctx, key)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	if !slices.Contains(h.possible, e2.Value) {
		require.Failf(t, "a lie", "L2 holds %q, and could hold %q; the last write returned: %v", e2.Value, h.possible, err)
	}
	e1, _, readErr := h.w.l1.Get(ctx, key)
	require.NoError(t, readErr)
	if differ(e1.Value, e2.Value) {
		require.ErrorIs(t, err, tiercache.ErrInconsistent, "the tiers differ, and the caller was not told")
	}
	return err
}

// complete checks that everything was reported, and nothing twice.
func (h *history) complete(t *testing.T) {
	t.Helper()
	assert.Len(t, h.w.Inconsistencies(), h.inconsist, "calls of the hook")
	assert.Len(t, h.w.events(), h.inconsist, "events on spans")
	t.Logf("%d writes, %d of them reported", h.n, h.inconsist)
}

package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// process is one of several that share an L2.
type process[V any] struct {
	*tiercache.Cache[V]
	l1 *backendtest.Map[V]
	l2 *backendtest.Client[V]
}

// newProcess returns a cache over an L1 of its own and the store.
func newProcess[V any](t *testing.T, store *backendtest.Store[V], opts ...tiercache.Option) process[V] {
	t.Helper()
	p := process[V]{l1: backendtest.NewMap[V](), l2: store.Client()}
	opts = append([]tiercache.Option{tiercache.WithTelemetry(tracing.Disabled())}, opts...)
	c, err := tiercache.New("users", p.l1, p.l2, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) }) //nolint:usetesting // that of the test has ended
	p.Cache = c
	return p
}

func (p process[V]) inL1(key string) (value V, ok bool) {
	entry, ok := p.l1.Snapshot()[key]
	return entry.Value, ok
}

func TestSetIfAbsent(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	a, b := newProcess(t, store), newProcess(t, store)

	won, stored, err := a.SetIfAbsent(t.Context(), "k", "a's", time.Hour)
	require.NoError(t, err)
	assert.True(t, stored)
	assert.Equal(t, "a's", won.Value)
	assert.WithinDuration(t, time.Now().Add(time.Hour), won.ExpiresAt, time.Minute)

	won, stored, err = b.SetIfAbsent(t.Context(), "k", "b's", time.Hour)
	require.NoError(t, err)
	assert.False(t, stored)
	assert.Equal(t, "a's", won.Value)
	value, ok := b.inL1("k")
	assert.True(t, ok, "L1 follows L2")
	assert.Equal(t, "a's", value)

	require.NoError(t, a.Delete(t.Context(), "k"))
	_, stored, err = b.SetIfAbsent(t.Context(), "k", "b's", 0)
	require.NoError(t, err)
	assert.True(t, stored, "a deleted entry is none")
}

// L1 has a value that L2 replaced, and must not keep it when L2 refuses a write.
func TestSetIfAbsent_DropsWhatL2Replaced(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	a, b := newProcess(t, store), newProcess(t, store)
	require.NoError(t, a.Set(t.Context(), "k", "old", 0))
	require.NoError(t, b.Set(t.Context(), "k", "new", 0))
	won, stored, err := a.SetIfAbsent(t.Context(), "k", "mine", 0)
	require.NoError(t, err)
	assert.False(t, stored)
	assert.Equal(t, "new", won.Value)
	value, _ := a.inL1("k")
	assert.Equal(t, "new", value)
}

// The entry that it has lost against is gone when it is read: it tries again.
func TestSetIfAbsent_GoneMeanwhile(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	l2 := backendtest.WithFaults[string](store.Client())
	c, err := tiercache.New("users", backendtest.NewMap[string](), l2, tiercache.WithTelemetry(tracing.Disabled()))
	require.NoError(t, err)
	other := store.Client()
	require.NoError(t, other.Set(t.Context(), "k", backends.Entry[string]{Value: "theirs"}))
	l2.Next(tier.Get, func(ctx context.Context, apply func(context.Context) error) error {
		return errors.Join(other.Delete(ctx, "k"), apply(ctx))
	})
	won, stored, err := c.SetIfAbsent(t.Context(), "k", "mine", 0)
	require.NoError(t, err)
	assert.True(t, stored)
	assert.Equal(t, "mine", won.Value)
	require.NoError(t, c.Close(t.Context()))
}

func TestSetIfAbsent_OneOfManyWins(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	var wg sync.WaitGroup
	wins := make([]bool, 8)
	values := make([]string, len(wins))
	for i := range wins {
		p := newProcess(t, store)
		wg.Go(func() {
			won, stored, err := p.SetIfAbsent(t.Context(), "k", fmt.Sprint(i), 0)
			assert.NoError(t, err)
			wins[i], values[i] = stored, won.Value
		})
	}
	wg.Wait()
	winner := -1
	for i, won := range wins {
		if won {
			require.Equal(t, -1, winner, "one wins")
			winner = i
		}
	}
	for _, value := range values {
		assert.Equal(t, fmt.Sprint(winner), value)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[int]()
	a, b := newProcess(t, store), newProcess(t, store)
	add := func(old int, ok bool) (int, error) {
		if !ok {
			return 1, nil
		}
		return old + 1, nil
	}
	for i := range 3 {
		for j, p := range []process[int]{a, b} {
			n, err := p.Update(t.Context(), "k", 0, add)
			require.NoError(t, err)
			assert.Equal(t, 2*i+j+1, n)
			value, _ := p.inL1("k")
			assert.Equal(t, n, value)
		}
	}
}

// No addition is lost, whoever makes them.
func TestUpdate_NothingIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const processes, goroutines, times = 4, 4, 25
		store := backendtest.NewStore[int]()
		var wg sync.WaitGroup
		for range processes {
			p := newProcess(t, store)
			for range goroutines {
				wg.Go(func() {
					for range times {
						_, err := p.Update(t.Context(), "k", time.Hour, func(old int, _ bool) (int, error) {
							time.Sleep(time.Microsecond) // the others come in between
							return old + 1, nil
						})
						assert.NoError(t, err)
					}
				})
			}
		}
		wg.Wait()
		assert.Equal(t, processes*goroutines*times, store.Snapshot()["k"].Value)
	})
}

// A change of the key by the function itself defeats the update, which ends all the
// same.
func TestUpdate_Conflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, backendtest.NewStore[int]())
		calls := 0
		_, err := p.Update(t.Context(), "k", 0, func(old int, _ bool) (int, error) {
			calls++
			return old, p.Set(t.Context(), "k", calls, 0)
		})
		require.ErrorIs(t, err, tiercache.ErrConflict)
		assert.Equal(t, 100, calls)
		value, _, err := p.Get(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, 100, value)
	})
}

// Update returns a value only if it knows that the key has it.
func TestUpdate_NoValueWithAnError(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"unknown": errors.New("lost"), "failed": backends.NotApplied(errors.New("full"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l2 := backendtest.WithFaults(backendtest.NewStore[int]().Client())
			c, err := tiercache.New("users", backendtest.NewMap[int](), l2, tiercache.WithTelemetry(tracing.Disabled()))
			require.NoError(t, err)
			l2.Next(tier.Set, func(context.Context, func(context.Context) error) error { return fault })
			value, err := c.Update(t.Context(), "k", 0, func(int, bool) (int, error) { return 8, nil })
			require.ErrorIs(t, err, fault)
			assert.Zero(t, value)
		})
	}
}

func TestUpdate_FunctionFails(t *testing.T) {
	t.Parallel()
	p := newProcess(t, backendtest.NewStore[int]())
	require.NoError(t, p.Set(t.Context(), "k", 7, 0))
	cause := errors.New("not today")
	value, err := p.Update(t.Context(), "k", 0, func(int, bool) (int, error) { return 8, cause })
	require.ErrorIs(t, err, cause)
	assert.Zero(t, value)
	_, err = p.Update(t.Context(), "k", 0, func(int, bool) (int, error) { panic("oh") })
	var panicked *backends.PanicError
	require.ErrorAs(t, err, &panicked)
	value, _, err = p.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, 7, value)
}

// The context ends the wait between two attempts.
func TestUpdate_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(t, backendtest.NewStore[int]())
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := p.Update(ctx, "k", 0, func(old int, _ bool) (int, error) {
			return old, p.Set(t.Context(), "k", 1, 0)
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// What cannot be done is said, and nothing is changed.
func TestConditional_Refused(t *testing.T) {
	t.Parallel()
	plain := newFixture(t) // L2 issues no versions
	versioned := newProcess(t, backendtest.NewStore[string]())
	same := func(old string, _ bool) (string, error) { return old, nil }
	for name, tc := range map[string]struct {
		call func(ctx context.Context) error
		want error
		text string
	}{
		"set-if-absent without versions": {func(ctx context.Context) error {
			_, _, err := plain.SetIfAbsent(ctx, secretKey, "v", 0)
			return err
		}, tiercache.ErrUnsupported, "l2 issues no versions"},
		"update without versions": {func(ctx context.Context) error {
			_, err := plain.Update(ctx, secretKey, 0, same)
			return err
		}, tiercache.ErrUnsupported, "l2 issues no versions"},
		"delete of a version without versions": {func(ctx context.Context) error {
			return plain.DeleteVersion(ctx, secretKey, 1)
		}, tiercache.ErrUnsupported, "l2 issues no versions"},
		"delete of version 0": {func(ctx context.Context) error {
			return versioned.DeleteVersion(ctx, secretKey, 0)
		}, tiercache.ErrInvalid, "the version is 0"},
		"empty key": {func(ctx context.Context) error {
			_, _, err := versioned.SetIfAbsent(ctx, "", "v", 0)
			return err
		}, tiercache.ErrInvalid, "the key is empty"},
		"negative TTL": {func(ctx context.Context) error {
			_, err := versioned.Update(ctx, secretKey, -1, same)
			return err
		}, tiercache.ErrInvalid, "the TTL is negative"},
		"nil function": {func(ctx context.Context) error {
			_, err := versioned.Update(ctx, secretKey, 0, nil)
			return err
		}, tiercache.ErrInvalid, "the function that changes the value is nil"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.call(t.Context())
			require.ErrorIs(t, err, tc.want)
			assert.ErrorContains(t, err, tc.text)
			assert.NotContains(t, err.Error(), secretKey)
		})
	}
}

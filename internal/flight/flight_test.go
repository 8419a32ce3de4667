package flight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/flight"
)

type group = flight.Group[int]

func always(*int) bool            { return true }
func never(*int) bool             { return false }
func ready(*int) error            { return nil }
func nothing(*flight.Flight[int]) {}

func join(t *testing.T, ctx context.Context, g *group, may func(*int) bool) (*flight.Flight[int], bool) {
	t.Helper()
	f, first, err := g.Join(ctx, "k", may, ready)
	require.NoError(t, err)
	return f, first
}

func TestJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[int]()
		f, first := join(t, t.Context(), g, always)
		assert.True(t, first)
		again, first := join(t, t.Context(), g, always)
		assert.False(t, first)
		assert.Same(t, f, again)
		other, first := join(t, t.Context(), g, never)
		assert.True(t, first, "it may not join that flight")
		assert.NotSame(t, f, other)

		after := false
		f.Run(t.Context(), func(_ context.Context, f *flight.Flight[int]) { f.Call = 7 },
			func(*flight.Flight[int]) { after = true })
		<-f.Arrived()
		assert.Equal(t, 7, again.Call)
		synctest.Wait()
		assert.True(t, after)

		newest, first := join(t, t.Context(), g, always)
		assert.False(t, first, "the landing of f does not remove the flight that took its place")
		assert.Same(t, other, newest)
		other.Run(t.Context(), func(context.Context, *flight.Flight[int]) {}, nothing)
		<-other.Arrived()
		synctest.Wait()
		_, first = join(t, t.Context(), g, always)
		assert.True(t, first, "a flight that has landed cannot be joined")
	})
}

func TestJoin_BeginFails(t *testing.T) {
	t.Parallel()
	g, refused := flight.New[int](), errors.New("refused")
	_, _, err := g.Join(t.Context(), "k", always, func(*int) error { return refused })
	require.ErrorIs(t, err, refused)
	_, first := join(t, t.Context(), g, always)
	assert.True(t, first, "nothing is left of it")
}

func TestForget(t *testing.T) {
	t.Parallel()
	g := flight.New[int]()
	join(t, t.Context(), g, always)
	g.Forget("k")
	g.Forget("unknown")
	_, first := join(t, t.Context(), g, always)
	assert.True(t, first)
}

// The context of a run ends when the last caller has left, for its reason. A flight
// that all have left cannot be joined.
func TestLeave(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reasons []error
		before  bool // the goroutine begins
		want    error
	}{
		"one":                 {reasons: []error{context.Canceled}, want: context.Canceled},
		"at a deadline":       {reasons: []error{context.DeadlineExceeded}, want: context.DeadlineExceeded},
		"the last at its":     {reasons: []error{context.Canceled, context.DeadlineExceeded}, want: context.DeadlineExceeded},
		"the last is gone":    {reasons: []error{context.DeadlineExceeded, context.Canceled}, want: context.Canceled},
		"before it begins":    {reasons: []error{context.Canceled}, before: true, want: context.Canceled},
		"a reason of its own": {reasons: []error{errors.New("gone")}, want: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := flight.New[int]()
				var f *flight.Flight[int]
				for range test.reasons {
					f, _ = join(t, t.Context(), g, always)
				}
				var got, cause error
				run := func() {
					f.Run(t.Context(), func(ctx context.Context, _ *flight.Flight[int]) {
						<-ctx.Done()
						got, cause = ctx.Err(), context.Cause(ctx)
					}, nothing)
				}
				if !test.before {
					run()
				}
				for i, reason := range test.reasons {
					synctest.Wait()
					require.NoError(t, got, "%d have left", i)
					f.Leave(reason)
				}
				_, first := join(t, t.Context(), g, always)
				assert.True(t, first)
				if test.before {
					run()
				}
				<-f.Arrived()
				require.ErrorIs(t, got, test.want)
				if !test.before {
					require.ErrorIs(t, cause, test.reasons[len(test.reasons)-1])
				}
			})
		})
	}
}

// A run has the latest deadline of its callers, also of those who come later.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, begin := flight.New[int](), time.Now()
		within := func(d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			t.Cleanup(cancel)
			return ctx
		}
		f, _ := join(t, within(2*time.Second), g, always)
		contexts := make(chan context.Context)
		f.Run(t.Context(), func(ctx context.Context, _ *flight.Flight[int]) {
			contexts <- ctx
			<-ctx.Done()
		}, nothing)
		ctx := <-contexts
		for _, step := range []struct{ within, want time.Duration }{{time.Second, 2 * time.Second}, {3 * time.Second, 3 * time.Second}} {
			join(t, within(step.within), g, always)
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Equal(t, step.want, deadline.Sub(begin))
		}
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		deadline, _ := derived.Deadline()
		assert.Equal(t, 3*time.Second, deadline.Sub(begin))
		join(t, t.Context(), g, always)
		_, ok := ctx.Deadline()
		assert.False(t, ok, "one of the callers has none")
		join(t, within(time.Second), g, always)
		_, ok = ctx.Deadline()
		assert.False(t, ok, "it stays so")
		for range 5 {
			f.Leave(context.DeadlineExceeded)
		}
		<-f.Arrived()
		require.ErrorIs(t, context.Cause(derived), context.DeadlineExceeded)
	})
}

// The result may arrive before the run has ended. After is called when nobody can join
// any more.
func TestArrive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[int]()
		f, _ := join(t, t.Context(), g, always)
		ended := make(chan struct{})
		f.Run(t.Context(), func(_ context.Context, f *flight.Flight[int]) {
			f.Call = 7
			f.Arrive()
			f.Arrive()
			<-ended
		}, func(*flight.Flight[int]) {
			_, first := join(t, t.Context(), g, always)
			assert.True(t, first, "nobody can join any more")
		})
		<-f.Arrived()
		assert.Equal(t, 7, f.Call)
		joined, first := join(t, t.Context(), g, always)
		assert.False(t, first)
		assert.Same(t, f, joined)
		close(ended)
	})
}

// A run that ends its goroutine lands all the same.
func TestRun_Goexit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, after := flight.New[int](), false
		f, _ := join(t, t.Context(), g, always)
		f.Run(t.Context(), func(context.Context, *flight.Flight[int]) { runtime.Goexit() },
			func(*flight.Flight[int]) { after = true })
		<-f.Arrived()
		synctest.Wait()
		assert.True(t, after)
	})
}

// The context of a run has the values of the caller that began it, and not its end.
func TestRun_Values(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
	cancel()
	f, _ := join(t, ctx, flight.New[int](), always)
	f.Run(ctx, func(ctx context.Context, _ *flight.Flight[int]) {
		assert.Equal(t, "v", ctx.Value(key{}))
		assert.NoError(t, ctx.Err())
	}, nothing)
	<-f.Arrived()
}

func TestGroupConcurrentSafe(t *testing.T) {
	t.Parallel()
	g := flight.New[int]()
	var wg sync.WaitGroup
	var runs atomic.Int64
	for i := range 64 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for j := range 100 {
				f, first, err := g.Join(ctx, fmt.Sprint(j%3), always, ready)
				assert.NoError(t, err)
				if first {
					f.Run(ctx, func(_ context.Context, f *flight.Flight[int]) {
						f.Call = j%3 + 1
						runs.Add(1)
					}, nothing)
				}
				if (i+j)%5 == 0 {
					f.Leave(context.Canceled)
					continue
				}
				<-f.Arrived()
				assert.Equal(t, j%3+1, f.Call)
			}
		})
	}
	wg.Wait()
	assert.Positive(t, runs.Load())
}

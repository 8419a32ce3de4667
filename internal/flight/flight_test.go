package flight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/flight"
)

// call is the call of these tests: its result is a number.
type call struct {
	result int
	closed bool // nobody may join
}

func open(c *call) bool { return !c.closed }
func begin(*call) error { return nil }
func nothing(*call)     {}
func answer(n int) func(context.Context, *call) {
	return func(_ context.Context, c *call) { c.result = n }
}

func TestCallersShareARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[call]()
		runs := 0
		first, isFirst, err := g.Join("k", open, begin)
		require.NoError(t, err)
		assert.True(t, isFirst)
		second, isFirst, err := g.Join("k", open, begin)
		require.NoError(t, err)
		assert.False(t, isFirst)
		assert.Same(t, first, second)
		other, isFirst, err := g.Join("other", open, begin)
		require.NoError(t, err)
		assert.True(t, isFirst)
		assert.NotSame(t, first, other)

		for _, f := range []*flight.Flight[call]{first, other} {
			f.Run(t.Context(), func(context.Context, *call) {
				time.Sleep(time.Second)
				runs++
				f.Call.result = runs
			}, nothing)
			<-f.Landed()
		}
		assert.Equal(t, 2, runs)
		assert.Equal(t, 1, second.Call.result)
	})
}

// Who comes after the landing begins a run of its own.
func TestLandedIsNotJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[call]()
		for range 3 {
			f, first, err := g.Join("k", open, begin)
			require.NoError(t, err)
			assert.True(t, first)
			f.Run(t.Context(), answer(1), nothing)
			<-f.Landed()
		}
	})
}

// A flight that may not be joined any more makes room for another, and does not take
// that one away when it lands.
func TestAFlightTakesAnothersPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[call]()
		old, _, err := g.Join("k", open, begin)
		require.NoError(t, err)
		hold := make(chan struct{})
		old.Run(t.Context(), func(context.Context, *call) { <-hold }, nothing)
		closed := func(*call) bool { return false }
		young, first, err := g.Join("k", closed, begin)
		require.NoError(t, err)
		require.True(t, first)
		close(hold)
		<-old.Landed()
		joined, first, err := g.Join("k", open, begin)
		require.NoError(t, err)
		assert.False(t, first)
		assert.Same(t, young, joined)
		young.Run(t.Context(), answer(2), nothing)
		<-joined.Landed()
		assert.Equal(t, 2, joined.Call.result)
	})
}

// A flight that cannot begin is not there for others.
func TestBeginFails(t *testing.T) {
	t.Parallel()
	g := flight.New[call]()
	refused := errors.New("refused")
	f, first, err := g.Join("k", open, func(*call) error { return refused })
	require.ErrorIs(t, err, refused)
	assert.Nil(t, f)
	assert.False(t, first)
	_, first, err = g.Join("k", open, begin)
	require.NoError(t, err)
	assert.True(t, first)
}

// The run has the values of its first caller, not its end. It ends when the last
// caller has left.
func TestLeave(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"during the run": false, "before it begins": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				type key struct{}
				g := flight.New[call]()
				ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
				f, _, err := g.Join("k", open, begin)
				require.NoError(t, err)
				_, _, err = g.Join("k", open, begin)
				require.NoError(t, err)
				ended := false
				run := func(ctx context.Context, _ *call) {
					assert.Equal(t, "value", ctx.Value(key{}))
					<-ctx.Done()
					ended = true
					assert.ErrorIs(t, context.Cause(ctx), context.Canceled)
				}
				if !early {
					f.Run(ctx, run, nothing)
				}
				cancel()
				f.Leave()
				synctest.Wait()
				assert.False(t, ended, "one caller is left")
				f.Leave()
				if early {
					f.Run(ctx, run, nothing)
				}
				<-f.Landed()
				assert.True(t, ended)
				_, first, err := g.Join("k", open, begin)
				require.NoError(t, err)
				assert.True(t, first, "nobody joins what was cancelled")
			})
		})
	}
}

// A run that ends its goroutine lands all the same, and is followed by after.
func TestRunExits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[call]()
		f, _, err := g.Join("k", open, begin)
		require.NoError(t, err)
		followed := make(chan int, 1)
		f.Run(t.Context(), func(_ context.Context, c *call) {
			c.result = 3
			runtime.Goexit()
		}, func(c *call) { followed <- c.result })
		<-f.Landed()
		assert.Equal(t, 3, f.Call.result)
		assert.Equal(t, 3, <-followed)
	})
}

// After runs when the flight has landed, its context has ended, and nobody can join.
func TestAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := flight.New[call]()
		f, _, err := g.Join("k", open, begin)
		require.NoError(t, err)
		var runCtx context.Context
		followed := make(chan struct{})
		f.Run(t.Context(), func(ctx context.Context, _ *call) {
			runCtx = ctx //nolint:fatcontext // the test looks at its end
		}, func(c *call) {
			defer close(followed)
			assert.Same(t, &f.Call, c)
			assert.Error(t, runCtx.Err())
			select {
			case <-f.Landed():
			default:
				t.Error("it has not landed")
			}
			_, first, err := g.Join("k", open, begin)
			assert.NoError(t, err)
			assert.True(t, first)
		})
		<-followed
	})
}

// Many callers of few keys come, and some leave. Nobody gets the result of a run that
// had landed before, and after finds a call that nobody joins any more. As long as
// nobody leaves, one run of a key is under way at a time.
func TestFlight_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	const (
		keys    = 4
		callers = 16
		rounds  = 300
	)
	for _, leaving := range []bool{false, true} {
		t.Run(fmt.Sprintf("leaving=%v", leaving), func(t *testing.T) {
			t.Parallel()
			g := flight.New[call]()
			var underWay, serial [keys]atomic.Int32
			run := func(k int) func(context.Context, *call) {
				return func(_ context.Context, c *call) {
					assert.True(t, underWay[k].Add(1) == 1 || leaving, "two runs of a key")
					runtime.Gosched()
					underWay[k].Add(-1)
					c.result = int(serial[k].Add(1))
				}
			}
			after := func(c *call) { c.closed = true } // a data race if anybody could join
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for n := range rounds {
						k := (i + n) % keys
						before := int(serial[k].Load())
						f, first, err := g.Join(strconv.Itoa(k), open, begin)
						assert.NoError(t, err)
						if first {
							f.Run(t.Context(), run(k), after)
						}
						if leaving && n%5 == 0 {
							f.Leave()
							continue
						}
						<-f.Landed()
						assert.True(t, f.Call.result >= before || leaving, "the result of an earlier run")
					}
				})
			}
			all.Wait()
		})
	}
}

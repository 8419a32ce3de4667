package redislog

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// told is a sink that checks, against the fake log, each time that it is in sync.
type told struct {
	t       *testing.T
	log     *fakeLog
	told    map[uint64]bool
	since   time.Time // when all before was lost
	asOf    time.Time
	losses  []backends.Loss
	changes int
	joins   int // when the last loss was told
}

func (s *told) Changed(changes []backends.Change) {
	for _, c := range changes {
		s.told[c.Operation] = true
		s.changes++
	}
}

// Synced requires that every change since the last loss, and before asOf, was told.
func (s *told) Synced(asOf time.Time) {
	require.False(s.t, asOf.After(time.Now()))
	require.True(s.t, asOf.After(s.asOf), "it goes back")
	s.asOf = asOf
	s.log.do(func() {
		for operation, at := range s.log.applied {
			if at.After(s.since) && at.Before(asOf) {
				require.True(s.t, s.told[uint64(operation)], "a change was missed without a word")
			}
		}
	})
}

func (s *told) Lost(cause backends.Loss) {
	s.losses = append(s.losses, cause)
	s.since, s.asOf = time.Now(), time.Time{}
	s.log.do(func() {
		s.joins = 0
		for _, call := range s.log.calls {
			if strings.HasPrefix(call, "join") {
				s.joins++
			}
		}
	})
}

func newTold(t *testing.T, l *fakeLog) *told {
	t.Helper()
	return &told{t: t, log: l, told: map[uint64]bool{}}
}

// watchFake follows a fake log until stop is called.
func watchFake(t *testing.T, l *fakeLog) (s *told, stop func() error) {
	t.Helper()
	s = newTold(t, l)
	h := fakeHub(l)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watchBy(ctx, h, s) }()
	synctest.Wait()
	s.since = time.Now()
	return s, func() error { cancel(); return <-done }
}

// fakeHub is the hub of a fake log.
func fakeHub(l *fakeLog) *Hub {
	return &Hub{
		watchError: func(err error) error {
			if errors.Is(err, ErrReaderEnded) {
				return err
			}
			return errors.Join(err, backends.ErrUnsupported)
		},
		readers: func(tell teller) []*reader {
			return []*reader{{
				tell: tell, connect: l.connect, failed: func(context.Context) {},
				forGood: func(error) bool { return false },
				see:     func(backends.Version) {},
				seen: func() (v backends.Version) {
					l.do(func() { v = l.seen })
					return v
				},
			}}
		},
	}
}

// watchBy watches as a backend does.
func watchBy(ctx context.Context, h *Hub, sink backends.Sink) error {
	if err := h.Watch(ctx, sink); err != nil {
		return err
	}
	return ctx.Err()
}

func TestReader(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		during func(l *fakeLog)
		losses []backends.Loss
	}{
		"nothing":        {func(*fakeLog) {}, nil},
		"writes":         {func(l *fakeLog) { l.write(); l.write() }, nil},
		"an outage":      {func(l *fakeLog) { l.do(func() { l.down = true }); l.write() }, nil},
		"a hang":         {func(l *fakeLog) { l.do(func() { l.hangs = true }); l.write() }, nil},
		"a demotion":     {func(l *fakeLog) { l.do(func() { l.replica = true }); l.write() }, nil},
		"a flush":        {(*fakeLog).flush, []backends.Loss{backends.LossLogReplaced}},
		"a fail-over":    {func(l *fakeLog) { l.write(); l.failOver(0) }, []backends.Loss{backends.LossServerChanged}},
		"a lossy one":    {func(l *fakeLog) { l.write(); l.failOver(1) }, []backends.Loss{backends.LossServerChanged}},
		"ids used again": {func(l *fakeLog) { l.write(); l.failOver(1); l.write() }, []backends.Loss{backends.LossServerChanged}},
		"a trim": {func(l *fakeLog) {
			l.do(func() {
				for range 3 {
					l.append(Message{kind: messageSet})
				}
				l.messages = l.messages[len(l.messages)-1:]
			})
		}, []backends.Loss{backends.LossTrimmed}},
		"a trim in an outage": {func(l *fakeLog) {
			l.do(func() { l.down = true })
			time.Sleep(time.Second)
			l.write()
			l.write()
			l.trim(1)
		}, []backends.Loss{backends.LossDisconnected}},
		"all of it": {func(l *fakeLog) {
			l.do(func() { l.hangs = true })
			time.Sleep(time.Second)
			l.write()
			l.flush()
			l.failOver(0)
		}, []backends.Loss{backends.LossServerChanged}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newFakeLog()
				s, stop := watchFake(t, l)
				time.Sleep(heartbeat)
				test.during(l)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				l.do(func() {
					if l.down || l.hangs || l.replica {
						assert.Greater(t, time.Since(s.asOf), time.Second, "it cannot be in sync")
					}
				})
				l.do(func() { l.down, l.hangs, l.replica = false, false, false })
				time.Sleep(2 * (callTimeout + heartbeat))
				synctest.Wait()
				assert.Equal(t, test.losses, s.losses)
				assert.Less(t, time.Since(s.asOf), 2*heartbeat, "it is in sync again")
				require.ErrorIs(t, stop(), context.Canceled)
			})
		})
	}
}

// The instant of Synced is that before the heartbeat was sent.
func TestReader_SlowAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		l.delay = 100 * time.Millisecond
		s, stop := watchFake(t, l)
		time.Sleep(l.delay)
		synctest.Wait()
		assert.Equal(t, l.delay, time.Since(s.asOf))
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

// A sink that comes later is in sync from a heartbeat on that was sent after it came.
func TestReader_SecondSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		l.delay = 100 * time.Millisecond
		h := fakeHub(l)
		first, second := newTold(t, l), newTold(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- watchBy(ctx, h, first) }()
		time.Sleep(heartbeat + l.delay/2) // the second heartbeat is under way
		l.write()
		go func() { done <- watchBy(ctx, h, second) }()
		time.Sleep(l.delay)
		synctest.Wait()
		assert.Less(t, time.Since(first.asOf), heartbeat)
		assert.Zero(t, second.asOf)
		time.Sleep(heartbeat)
		synctest.Wait()
		assert.Equal(t, first.asOf, second.asOf)
		cancel()
		for range 2 {
			require.ErrorIs(t, <-done, context.Canceled)
		}
	})
}

// A loss is told behind the new position, so that nothing is read between the two.
func TestReader_LossIsToldAfterTheJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		s, stop := watchFake(t, l)
		l.do(func() { l.failJoin = errDown })
		l.flush()
		time.Sleep(10 * heartbeat)
		synctest.Wait()
		assert.Empty(t, s.losses)
		l.do(func() { l.failJoin = nil })
		time.Sleep(2 * heartbeat)
		synctest.Wait()
		assert.Equal(t, []backends.Loss{backends.LossLogReplaced}, s.losses)
		assert.Greater(t, s.joins, 1)
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

func TestReader_ThatCannotFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		l.failJoin = ErrNoIdentity
		s, stop := watchFake(t, l)
		assert.Equal(t, []backends.Loss{backends.LossUnsupported}, s.losses)
		err := stop()
		require.ErrorIs(t, err, backends.ErrUnsupported)
		require.ErrorIs(t, err, ErrNoIdentity)
	})
}

type exiting struct{ told }

func (*exiting) Changed([]backends.Change) { runtime.Goexit() }

// A sink that ends the reader's goroutine ends the call with an error.
func TestReader_SinkThatExits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		done := make(chan error, 1)
		go func() {
			done <- fakeHub(l).Watch(t.Context(), &exiting{told{t: t, log: l}})
		}()
		synctest.Wait()
		l.write()
		require.ErrorIs(t, <-done, ErrReaderEnded)
	})
}

// Whatever happens to the log, no change is missed without a word, and in the end the
// reader is in sync.
func TestReader_Random(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { randomRun(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func randomRun(t *testing.T, random *rand.Rand) {
	t.Helper()
	l := newFakeLog()
	s, stop := watchFake(t, l)
	acts := []func(){
		l.write, l.write, l.write, l.write, l.write, l.write,
		func() { l.trim(random.IntN(5)) },
		func() { l.failOver(random.IntN(4)) },
		l.flush,
		func() { l.do(func() { l.down = !l.down }) },
		func() { l.do(func() { l.hangs = !l.hangs }) },
		func() { l.do(func() { l.replica = !l.replica }) },
		func() { l.do(func() { l.delay = time.Duration(random.IntN(600)) * time.Millisecond }) },
		func() { time.Sleep(time.Duration(random.IntN(int(time.Second)))) },
		func() { time.Sleep(time.Duration(random.IntN(int(time.Millisecond)))) },
	}
	for range 300 {
		acts[random.IntN(len(acts))]()
		time.Sleep(time.Duration(random.IntN(int(50 * time.Millisecond))))
	}
	l.do(func() { l.down, l.hangs, l.replica, l.delay = false, false, false, 0 })
	time.Sleep(5 * time.Second)
	synctest.Wait()
	assert.Less(t, time.Since(s.asOf), 2*heartbeat, "it is in sync again: %v", s.losses)
	assert.False(t, slices.Contains(s.losses, backends.LossProtocol))
	require.ErrorIs(t, stop(), context.Canceled)
}

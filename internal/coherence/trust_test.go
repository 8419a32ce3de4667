package coherence_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/keylock"
)

// A hit is fresh until the bound has passed since the last instant in sync, to the
// nanosecond, and with no timer in between.
func TestTrusted_Bound(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		assert.Zero(t, f.Trusted(), "it is joining")
		assert.Zero(t, f.Epoch(), "nor may an entry have its epoch")
		f.sync()
		f.put(v1)
		assert.True(t, f.fresh())
		time.Sleep(bound)
		assert.True(t, f.fresh())
		time.Sleep(time.Nanosecond)
		assert.False(t, f.fresh())
		f.sync()
		assert.True(t, f.fresh(), "the log has told all that came in between")
	})
}

// A sync that comes late proves no more than it says.
func TestSynced_AsOf(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		start := time.Now()
		time.Sleep(bound)
		f.Synced(start.Add(bound / 4))
		f.put(v1)
		assert.True(t, f.fresh())
		f.Synced(start) // out of order
		time.Sleep(bound / 4)
		assert.True(t, f.fresh())
		time.Sleep(time.Nanosecond)
		assert.False(t, f.fresh())
		f.Synced(start.Add(bound / 4))
		assert.False(t, f.fresh(), "it is too old")
		f.Synced(time.Now().Add(time.Hour))
		assert.True(t, f.fresh())
		time.Sleep(bound + 1)
		assert.False(t, f.fresh(), "the future proves no more than the present")
	})
}

// The wall clock may be set, so it proves nothing.
func TestSynced_WallClock(t *testing.T) {
	t.Parallel()
	f := newFixture()
	f.Synced(time.Now().Round(0))
	assert.Zero(t, f.Trusted())
	f.Synced(time.Now())
	assert.NotZero(t, f.Trusted())
	require.NoError(t, f.Close(t.Context()))
}

func TestFresh(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stamp backends.Stamp
		epoch uint32
		want  coherence.Suspect
	}{
		"fresh":                   {backends.Stamp{Version: v1, Epoch: 2}, 2, coherence.NotSuspect},
		"of an older epoch":       {backends.Stamp{Version: v1, Epoch: 1}, 2, coherence.OldEpoch},
		"read while nothing held": {backends.Stamp{Version: v1}, 2, coherence.OldEpoch},
		"without a version":       {backends.Stamp{Epoch: 2}, 2, coherence.Unversioned},
		"nothing is trusted":      {backends.Stamp{Version: v1, Epoch: 2}, 0, coherence.Untrusted},
		"neither has an epoch":    {backends.Stamp{Version: v1}, 0, coherence.Untrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, coherence.Judge(&test.stamp, test.epoch))
			assert.Equal(t, test.want == coherence.NotSuspect, coherence.Fresh(&test.stamp, test.epoch))
		})
	}
}

// After a loss no entry is fresh, also when everything is in sync again, until it was
// compared with L2. An entry that was read between the two is not either.
func TestLost(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		f.put(v1)
		var fence keylock.Fence
		require.NoError(t, f.locks.Raise(&fence, "other"))
		epoch := f.Trusted()

		f.Lost(backends.LossTrimmed)
		assert.True(t, fence.Broken())
		assert.Equal(t, 1, f.all)
		assert.Zero(t, f.Epoch())
		assert.False(t, f.fresh())
		f.put(v2)
		f.sync()
		assert.False(t, f.fresh(), "the reader may have missed what came after v2")
		f.put(v2)
		assert.True(t, f.fresh())
		assert.Equal(t, epoch+1, f.Trusted())
		fence.Lower()
	})
}

// Losses between which nothing was in sync raise the epoch once: no entry has got that of one
// in between. What they say of versions holds all the same.
func TestLost_Again(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.Lost(backends.LossTrimmed) // it is joining
		f.sync()
		assert.EqualValues(t, 1, f.Status().Epoch)
		f.put(v1)
		old, epoch := f.l1[key], f.Trusted()
		f.Lost(backends.LossTrimmed)
		f.Lost(backends.LossServerChanged)
		for range 1000 {
			f.Fail()
		}
		assert.EqualValues(t, 2, f.Status().Epoch)
		assert.Zero(t, f.Have(&old))
		f.sync()
		assert.False(t, f.fresh())
		f.put(v2)
		assert.True(t, f.fresh())
		assert.Equal(t, epoch+1, f.Trusted())
		young := f.l1[key]
		assert.Equal(t, v2, f.Have(&young))
	})
}

// After some losses a version may have been given twice, so a conditional get would lie.
func TestHave(t *testing.T) {
	t.Parallel()
	for loss, want := range map[backends.Loss]backends.Version{
		backends.LossDisconnected: v1, backends.LossTrimmed: v1, backends.LossLogReplaced: v1,
		backends.LossServerChanged: 0, backends.LossBehind: 0, backends.LossUnknown: 0, backends.LossProtocol: 0,
	} {
		t.Run(loss.String(), func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				f.sync()
				f.put(v1)
				old := f.l1[key]
				f.Lost(loss)
				f.sync()
				f.put(v2)
				fresh := f.l1[key]
				assert.Equal(t, want, f.Have(&old))
				assert.Equal(t, v2, f.Have(&fresh))
			})
		})
	}
	t.Run("of another machine", func(t *testing.T) {
		t.Parallel()
		run(t, func(t *testing.T, f *fixture) {
			f.sync()
			for _, epoch := range []uint32{0, f.Epoch() - 1, f.Epoch() + 1} {
				assert.Zero(t, f.Have(&backends.Stamp{Version: v1, Epoch: epoch}))
			}
		})
	})
	t.Run("l1", func(t *testing.T) {
		t.Parallel()
		run(t, func(t *testing.T, f *fixture) {
			f.sync()
			f.put(v1)
			old := f.l1[key]
			f.Fail()
			assert.Equal(t, v1, f.Have(&old))
		})
	})
}

// Each time without trust has one event at its begin and one at its end, whatever
// happens in between.
func TestEvents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		steps func(f *fixture)
		want  []string
	}{
		"it joins": {func(f *fixture) { f.sync() }, nil},
		"it cannot join": {func(f *fixture) {
			time.Sleep(3 * bound)
			f.sync()
		}, []string{"lost overdue", "back overdue 3s"}},
		"it cannot be watched": {func(f *fixture) {
			f.Lost(backends.LossUnsupported)
			time.Sleep(time.Hour)
		}, []string{"lost unsupported", "gap unsupported"}},
		"a gap": {func(f *fixture) {
			f.sync()
			f.Lost(backends.LossTrimmed)
			time.Sleep(bound / 2)
			f.sync()
		}, []string{"lost trimmed", "gap trimmed", "back trimmed 500ms"}},
		"a long gap": {func(f *fixture) {
			f.sync()
			f.Lost(backends.LossTrimmed)
			time.Sleep(3 * bound)
			f.sync()
		}, []string{"lost trimmed", "gap trimmed", "back trimmed 3s"}},
		"two gaps": {func(f *fixture) {
			f.sync()
			f.Lost(backends.LossTrimmed)
			f.Lost(backends.LossServerChanged)
			f.sync()
		}, []string{"lost trimmed", "gap trimmed", "gap server_changed", "back server_changed 0s"}},
		"a lapse": {func(f *fixture) {
			f.sync()
			time.Sleep(3 * bound)
			f.sync()
			time.Sleep(bound)
			f.sync()
		}, []string{"lost overdue", "back overdue 2s"}},
		"a lapse that ends in a gap": {func(f *fixture) {
			f.sync()
			time.Sleep(2 * bound)
			f.Lost(backends.LossTrimmed)
			time.Sleep(bound)
			f.sync()
		}, []string{"lost overdue", "gap trimmed", "back trimmed 2s"}},
		"syncs that come too late": {func(f *fixture) {
			f.sync()
			for range 3 {
				asOf := time.Now()
				time.Sleep(2 * bound)
				f.Synced(asOf)
			}
			f.sync()
		}, []string{"lost overdue", "back overdue 5s"}},
		"L1 keeps an entry": {func(f *fixture) {
			f.sync()
			f.put(v1)
			f.dropErr = errBroken
			f.change(v2, 0)
			f.sync()
		}, []string{"lost l1", "gap l1", "back l1 0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				test.steps(f)
				assert.Equal(t, test.want, f.happened())
			})
		})
	}
}

// The event of a lapse is not later than the lapse, however old the sync was before it.
func TestEvents_LapseIsPunctual(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{0, bound / 2, bound} {
		run(t, func(t *testing.T, f *fixture) {
			asOf := time.Now()
			time.Sleep(age)
			f.Synced(asOf)
			time.Sleep(bound - age)
			assert.True(t, f.Status().Trusted)
			assert.Empty(t, f.happened())
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			assert.Equal(t, []string{"lost overdue"}, f.happened())
		})
	}
}

// A process that was stopped finds the lapse itself, if its timer is late.
func TestEvents_TimerIsLate(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		f.StopTimer()
		time.Sleep(3 * bound)
		assert.Empty(t, f.happened())
		f.sync()
		assert.Equal(t, []string{"lost overdue", "back overdue 2s"}, f.happened())
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		start := time.Now()
		assert.Equal(t, coherence.Status{Cause: "joining", Since: start, Epoch: 1, Synced: -1}, f.Status())
		time.Sleep(bound / 2)
		f.sync()
		time.Sleep(bound / 4)
		assert.Equal(t, coherence.Status{Trusted: true, Since: start.Add(bound / 2), Epoch: 1, Synced: bound / 4}, f.Status())
		f.StopTimer() // Status knows it all the same
		time.Sleep(bound)
		assert.Equal(t, coherence.Status{Cause: "overdue", Since: start.Add(bound * 3 / 2), Epoch: 1, Synced: bound * 5 / 4}, f.Status())
		f.Lost(backends.LossBehind)
		assert.Equal(t, coherence.Status{Cause: "behind", Since: start.Add(bound * 3 / 2), Epoch: 2, Synced: -1}, f.Status())
	})
}

// An observer that hangs, or ends its goroutine, holds up nothing but the next event.
func TestObserver_Misbehaves(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.onEvent = func(e coherence.Event) {
			<-release
			if e.Gap {
				runtime.Goexit()
			}
		}
		f.Lost(backends.LossTrimmed)
		f.sync()
		f.put(v1)
		assert.True(t, f.fresh())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, f.Close(ctx), context.DeadlineExceeded)
		assert.False(t, f.fresh(), "it is closed")
		close(release)
		assert.Equal(t, []string{"lost trimmed", "back trimmed 0s"}, f.happened())
	})
}

// While the observer hangs, gaps of one cause after the other take no memory each.
func TestObserver_Hangs(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		release := make(chan struct{})
		f.onEvent = func(coherence.Event) { <-release }
		f.Lost(backends.LossTrimmed) // the observer hangs with the loss of trust
		f.Lost(backends.LossTrimmed)
		for range 1000 {
			f.Fail()
		}
		f.Lost(backends.LossTrimmed)
		f.Lost(backends.LossBehind)
		close(release)
		synctest.Wait()
		var gaps []int
		for _, e := range f.events {
			if e.Gap {
				gaps = append(gaps, e.Gaps)
			}
		}
		assert.Equal(t, []int{2, 1000, 1, 1}, gaps)
		assert.Equal(t, []string{"lost trimmed", "gap trimmed", "gap l1", "gap trimmed", "gap behind"}, f.happened())
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		f.put(v1)
		require.NoError(t, f.Close(t.Context()))
		f.sync()
		f.Lost(backends.LossTrimmed)
		f.change(v2, 0)
		time.Sleep(3 * bound)
		assert.False(t, f.fresh())
		assert.Empty(t, f.happened())
		assert.Empty(t, f.forgotten)
		assert.False(t, f.Status().Trusted)
		assert.Equal(t, "closed", f.Status().Cause)
	})
}

// watcher is a store's reader whose runs are given.
type watcher struct {
	runs []func(ctx context.Context, sink backends.Sink) error
	n    int
}

func (w *watcher) Watch(ctx context.Context, sink backends.Sink) error {
	w.n++
	return w.runs[min(w.n, len(w.runs))-1](ctx, sink)
}

func (*watcher) Seen(string) backends.Version { return 0 }

func TestFollow(t *testing.T) {
	t.Parallel()
	type runFunc = func(ctx context.Context, sink backends.Sink) error
	hang := func(ctx context.Context, sink backends.Sink) error {
		for ctx.Err() == nil {
			sink.Synced(time.Now())
			time.Sleep(bound / 2)
		}
		return ctx.Err()
	}
	for name, test := range map[string]struct {
		first []runFunc
		runs  int
		want  []string
	}{
		"it runs": {nil, 1, nil},
		"it panics": {
			[]runFunc{func(context.Context, backends.Sink) error { panic("oops") }},
			2,
			[]string{"lost unknown", "gap unknown", "back unknown 1s"},
		},
		"it ends its goroutine": {[]runFunc{func(context.Context, backends.Sink) error {
			runtime.Goexit()
			return nil
		}}, 2, []string{"lost unknown", "gap unknown", "back unknown 1s"}},
		"it ends twice": {[]runFunc{
			func(context.Context, backends.Sink) error { return errBroken },
			func(context.Context, backends.Sink) error { return nil },
		}, 3, []string{"lost unknown", "gap unknown", "gap unknown", "back unknown 3s"}},
		"unsupported": {[]runFunc{func(context.Context, backends.Sink) error {
			return errors.Join(errBroken, backends.ErrUnsupported)
		}}, 1, []string{"lost unsupported", "gap unsupported"}},
		"unsupported, and told so": {[]runFunc{func(_ context.Context, sink backends.Sink) error {
			sink.Lost(backends.LossUnsupported)
			return backends.ErrUnsupported
		}}, 1, []string{"lost unsupported", "gap unsupported"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				w := &watcher{runs: append(test.first, hang)}
				ctx, cancel := context.WithCancel(t.Context())
				ended := false
				go func() {
					f.Follow(ctx, w)
					ended = true
				}()
				time.Sleep(5*time.Second + bound/4)
				synctest.Wait()
				assert.Equal(t, test.want, f.happened())
				assert.Equal(t, test.runs, w.n)
				cancel()
				time.Sleep(bound)
				synctest.Wait()
				assert.True(t, ended)
			})
		})
	}
}

package tiercache_test

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func returns(value string, err error) tiercache.Loader[string] {
	return func(context.Context, string) (string, error) { return value, err }
}

// L2 hangs, and the callers have deadlines. Each is told at its deadline that it was a
// deadline and which step it was, and so is the tier, which a breaker around it counts.
func TestLoadEndsAtADeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		var ends []error
		w.L2.Always(tier.Get, func(ctx context.Context, _ func(context.Context) error) error {
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.InDelta(t, 300, time.Until(deadline).Milliseconds(), 1)
			<-ctx.Done()
			ends = append(ends, ctx.Err(), context.Cause(ctx))
			return backends.ContextError(ctx)
		})
		for range 3 {
			begin := time.Now()
			_, err := w.GetOrLoad(within(t, 300*time.Millisecond), "k", 0, returns("v", nil))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "reading the tiers")
			assert.Equal(t, 300*time.Millisecond, time.Since(begin))
			synctest.Wait()
		}
		require.Len(t, ends, 6)
		for _, err := range ends {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.NoError(t, w.Close(t.Context()))
	})
}

// Everywhere, an error of a context matches both its cause and the kind of its end.
func TestEndedContexts(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	for name, end := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		kind error
	}{
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(gone) })
			return ctx, func() { cancel(nil) }
		}, context.Canceled},
		"at a deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Second, gone)
		}, context.DeadlineExceeded},
	} {
		for call, f := range map[string]func(ctx context.Context, w *fixture) error{
			"set":    func(ctx context.Context, w *fixture) error { return w.Set(ctx, "k", "v", 0) },
			"delete": func(ctx context.Context, w *fixture) error { return w.Delete(ctx, "k") },
			"load": func(ctx context.Context, w *fixture) error {
				_, err := w.GetOrLoad(ctx, "other", 0, func(ctx context.Context, _ string) (string, error) {
					<-ctx.Done()
					return "", backends.ContextError(ctx)
				})
				return err
			},
			"close": func(ctx context.Context, w *fixture) error { return w.Close(ctx) },
		} {
			t.Run(call+", "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newFixture(t)
					w.L2.Next(tier.Set, backendtest.Delay(3*time.Second))
					go func() { _ = w.Set(t.Context(), "k", "first", 0) }()
					synctest.Wait()
					ctx, cancel := end.ctx(t.Context())
					defer cancel()
					err := f(ctx, w)
					require.ErrorIs(t, err, gone)
					require.ErrorIs(t, err, end.kind)
					require.NoError(t, w.Close(t.Context()))
				})
			})
		}
	}
}

// A read of a tier outside of the process ends, whatever its caller's context.
func TestReadTimeout(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts []tiercache.Option
		want time.Duration
	}{
		"default": {nil, tiercache.DefaultReadTimeout},
		"set":     {[]tiercache.Option{tiercache.WithReadTimeout(time.Second)}, time.Second},
		"race":    {[]tiercache.Option{tiercache.WithReadPolicy(readpolicy.Race())}, tiercache.DefaultReadTimeout},
	} {
		for caller, ctx := range map[string]func(t *testing.T) context.Context{
			"background":    func(*testing.T) context.Context { return context.Background() }, //nolint:usetesting // it cannot be cancelled
			"cancellable":   func(t *testing.T) context.Context { return t.Context() },
			"long deadline": func(t *testing.T) context.Context { return within(t, time.Hour) },
		} {
			t.Run(name+", "+caller, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newFixture(t, test.opts...)
					w.L2.Next(tier.Get, backendtest.Hang())
					begin := time.Now()
					_, _, err := w.Get(ctx(t), "k")
					require.ErrorIs(t, err, context.DeadlineExceeded)
					assert.Equal(t, test.want, time.Since(begin))
					require.NoError(t, w.Close(t.Context()))
				})
			})
		}
	}
}

// The loader has returned at once, and L2 hangs in the write. A caller that leaves gets
// the value, and the write goes on.
func TestLoadedValueIsNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		w.L2.Next(tier.Set, backendtest.Delay(time.Second))
		begin := time.Now()
		value, err := w.GetOrLoad(within(t, 300*time.Millisecond), "k", 0, returns("v", nil))
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		assert.Equal(t, 300*time.Millisecond, time.Since(begin))
		require.NoError(t, w.Close(t.Context()))
		assertHolds(t, w, "v", "v")
	})
}

// By option nobody waits for the write.
func TestAsyncLoadWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithAsyncLoadWrites(), tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
		w.L2.Next(tier.Set, backendtest.Delay(time.Second))
		begin := time.Now()
		for range 3 { // those who come during the write share the value
			value, err := w.GetOrLoad(t.Context(), "k", 0, returns("v", nil))
			require.NoError(t, err)
			assert.Equal(t, "v", value)
		}
		assert.Zero(t, time.Since(begin))
		assertHolds(t, w, "", "")
		require.NoError(t, w.Close(t.Context()))
		assertHolds(t, w, "v", "v")
		assert.Equal(t, 1, writeCalls(w.L2))
	})
}

// A stale value is at hand, and the load is slow, or as many are under way as may be. It does not
// matter whether the caller asks L1, or its load does.
func TestStaleValueAtHand(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opt     tiercache.Option
		ctx     time.Duration
		after   time.Duration
		refresh string // what the tiers hold in the end
	}{
		"after the soft limit":     {tiercache.WithStaleIfSlow(100 * time.Millisecond), time.Hour, 100 * time.Millisecond, "new"},
		"at the caller's deadline": {tiercache.WithStaleIfSlow(0), time.Second, time.Second, "old"},
		"no load may begin":        {tiercache.WithMaxLoads(1), time.Hour, 0, "old"},
		"the load ends in time":    {tiercache.WithStaleIfSlow(time.Hour), 2 * time.Hour, 10 * time.Second, "new"},
	} {
		for reads, setting := range map[string]tiercache.Option{
			"sequential": nil, "with spans of hits": tiercache.WithL1HitSpans(),
			"race": tiercache.WithReadPolicy(readpolicy.Race()), "parallel": tiercache.WithReadPolicy(readpolicy.Parallel()),
		} {
			t.Run(name+", "+reads, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := newFixture(t, tiercache.WithStaleIfError(time.Hour), test.opt, setting)
					require.NoError(t, w.Set(t.Context(), "k", "old", time.Second))
					time.Sleep(2 * time.Second)
					require.NoError(t, w.Map2.Delete(t.Context(), "k"))
					go func() {
						_, _ = w.GetOrLoad(t.Context(), "another", 0, func(context.Context, string) (string, error) {
							time.Sleep(time.Minute)
							return "", nil
						})
					}()
					synctest.Wait()
					begin := time.Now()
					value, err := w.GetOrLoad(within(t, test.ctx), "k", 0, func(ctx context.Context, _ string) (string, error) {
						select {
						case <-time.After(10 * time.Second):
							return "new", nil
						case <-ctx.Done():
							return "", ctx.Err()
						}
					})
					require.NoError(t, err)
					assert.Equal(t, test.after, time.Since(begin))
					want := "old"
					if test.after == 10*time.Second {
						want = "new"
					}
					assert.Equal(t, want, value)
					time.Sleep(2 * time.Minute)
					got, _ := w.Holds("k")
					assert.Equal(t, test.refresh, got)
					require.NoError(t, w.Close(t.Context()))
				})
			})
		}
	}
}

// A value that L1 has needs no load, so none that is refused keeps it from its caller, whether the
// caller asks L1 or its load does.
func TestMaxLoads_HitInL1(t *testing.T) {
	t.Parallel()
	for reads, setting := range map[string]tiercache.Option{
		"sequential": nil, "with spans of hits": tiercache.WithL1HitSpans(),
		"race": tiercache.WithReadPolicy(readpolicy.Race()), "parallel": tiercache.WithReadPolicy(readpolicy.Parallel()),
	} {
		t.Run(reads, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithMaxLoads(1), setting)
				require.NoError(t, f.Set(t.Context(), "k", "v", 0))
				go func() {
					_, _ = f.GetOrLoad(t.Context(), "another", 0, func(context.Context, string) (string, error) {
						time.Sleep(time.Minute)
						return "", nil
					})
				}()
				synctest.Wait()
				load := func(context.Context, string) (string, error) { panic("it must not be called") }
				value, err := f.GetOrLoad(t.Context(), "k", 0, load)
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				value, err = f.GetOrLoad(t.Context(), "k", 0, load, tiercache.SkipL2())
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				_, err = f.GetOrLoad(t.Context(), "k", 0, load, tiercache.SkipL1())
				require.ErrorIs(t, err, tiercache.ErrOverloaded)
				_, err = f.GetOrLoad(t.Context(), "missing", 0, load)
				require.ErrorIs(t, err, tiercache.ErrOverloaded)
				many, err := f.GetOrLoadMany(t.Context(), []string{"k"}, 0, func(context.Context, []string) (map[string]string, error) {
					panic("it must not be called")
				})
				require.NoError(t, err)
				assert.Equal(t, []tiercache.Found[string]{{Value: "v", OK: true}}, many)
				time.Sleep(2 * time.Minute)
				require.NoError(t, f.Close(t.Context()))
				_, err = f.GetOrLoad(t.Context(), "k", 0, load)
				require.ErrorIs(t, err, tiercache.ErrClosed)
			})
		})
	}
}

// L1 is asked once more for a stale value only if there can be one, and if the caller has not
// asked it.
func TestStaleValueAtHand_AsksL1Once(t *testing.T) {
	t.Parallel()
	spans := tiercache.WithL1HitSpans()
	for name, test := range map[string]struct {
		opts  []tiercache.Option
		calls int
	}{
		"the caller has asked": {[]tiercache.Option{tiercache.WithStaleIfError(time.Hour)}, 2}, // and its load
		"none is kept":         {[]tiercache.Option{spans}, 1},
		"the load has asked":   {[]tiercache.Option{spans, tiercache.WithStaleIfError(time.Hour)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.opts...)
				_, err := f.GetOrLoad(within(t, time.Second), "k", 0, func(ctx context.Context, _ string) (string, error) {
					<-ctx.Done()
					return "", ctx.Err()
				})
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, test.calls, f.L1.Calls(tier.Get))
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// The loads of a batch count as one, from the first to the last of them.
func TestMaxLoads_Batch(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, tiercache.WithMaxLoads(1))
				_, err := f.GetOrLoadMany(t.Context(), []string{"a", "b", "c"}[:n], 0, func(context.Context, []string) (map[string]string, error) {
					return map[string]string{"a": "1", "b": "2", "c": "3"}, nil
				})
				require.NoError(t, err)
				go func() {
					_, err := f.GetOrLoad(t.Context(), "one", 0, func(context.Context, string) (string, error) {
						time.Sleep(time.Minute)
						return "", nil
					})
					assert.NoError(t, err)
				}()
				synctest.Wait()
				_, err = f.GetOrLoad(t.Context(), "too many", 0, returns("", nil))
				require.ErrorIs(t, err, tiercache.ErrOverloaded)
				time.Sleep(2 * time.Minute)
				require.NoError(t, f.Close(t.Context()))
			})
		})
	}
}

// A load that leaves out L1 takes no stale value from it, and one that leaves out L2 does, under
// every read policy. Where L1 has none, the caller waits for the load.
func TestStaleValueAtHand_ReadOptions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts  []tiercache.ReadOption
		key   string
		value string
		after time.Duration
	}{
		"skip l1":  {[]tiercache.ReadOption{tiercache.SkipL1()}, "k", "new", 10 * time.Second},
		"skip l2":  {[]tiercache.ReadOption{tiercache.SkipL2()}, "k", "old", time.Second},
		"refresh":  {[]tiercache.ReadOption{tiercache.Refresh()}, "k", "new", 10 * time.Second},
		"no value": {nil, "other", "new", 10 * time.Second},
	} {
		for reads, setting := range map[string]tiercache.Option{
			"sequential": nil, "with spans of hits": tiercache.WithL1HitSpans(),
			"race": tiercache.WithReadPolicy(readpolicy.Race()), "parallel": tiercache.WithReadPolicy(readpolicy.Parallel()),
		} {
			t.Run(name+", "+reads, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFixture(t, tiercache.WithStaleIfError(time.Hour), tiercache.WithStaleIfSlow(time.Second), setting)
					require.NoError(t, f.Set(t.Context(), "k", "old", time.Second))
					time.Sleep(2 * time.Second)
					begin := time.Now()
					value, err := f.GetOrLoad(t.Context(), test.key, 0, func(context.Context, string) (string, error) {
						time.Sleep(10 * time.Second)
						return "new", nil
					}, test.opts...)
					require.NoError(t, err)
					assert.Equal(t, test.value, value)
					assert.Equal(t, test.after, time.Since(begin))
					require.NoError(t, f.Close(t.Context()))
				})
			})
		}
	}
}

// A load that goes on for nobody ends at the timeout of the background, or with Close.
func TestBackgroundLoadEnds(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"at its timeout": false, "with Close": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t, tiercache.WithStaleIfError(time.Hour), tiercache.WithStaleIfSlow(time.Second),
					tiercache.WithBackgroundTimeout(time.Minute))
				require.NoError(t, w.Set(t.Context(), "k", "old", time.Second))
				time.Sleep(2 * time.Second)
				require.NoError(t, w.Map2.Delete(t.Context(), "k"))
				ended := make(chan error, 1)
				_, err := w.GetOrLoad(t.Context(), "k", 0, func(ctx context.Context, _ string) (string, error) {
					<-ctx.Done()
					ended <- context.Cause(ctx)
					return "", ctx.Err()
				})
				require.NoError(t, err)
				begin, want, after := time.Now(), context.DeadlineExceeded, time.Minute
				if closed {
					want, after = tiercache.ErrClosed, 0
					require.NoError(t, w.Close(t.Context()))
				}
				require.ErrorIs(t, <-ended, want)
				assert.Equal(t, after, time.Since(begin))
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

func TestMaxLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithMaxLoads(2))
		for _, key := range []string{"a", "b", "b"} { // the third shares the load of the second
			go func() {
				_, err := w.GetOrLoad(t.Context(), key, 0, func(context.Context, string) (string, error) {
					time.Sleep(time.Second)
					return "v", nil
				})
				assert.NoError(t, err)
			}()
		}
		synctest.Wait()
		_, err := w.GetOrLoad(t.Context(), "c", 0, returns("v", nil))
		require.ErrorIs(t, err, tiercache.ErrOverloaded)
		time.Sleep(2 * time.Second)
		for _, key := range []string{"c", "d", "e"} { // each gives its place back
			_, err = w.GetOrLoad(t.Context(), key, 0, returns("v", nil))
			require.NoError(t, err)
		}
		require.NoError(t, w.Close(t.Context()))
	})
}

func TestNotFoundOfOnesOwn(t *testing.T) {
	t.Parallel()
	calls := 0
	w := newFixture(t, tiercache.WithNegativeTTL(time.Minute),
		tiercache.WithNotFound(func(err error) bool { return errors.Is(err, sql.ErrNoRows) }))
	for i := range 2 {
		_, err := w.GetOrLoad(t.Context(), "k", 0, func(context.Context, string) (string, error) {
			calls++
			return "", sql.ErrNoRows
		})
		require.ErrorIs(t, err, tiercache.ErrNotFound)
		if i == 0 {
			require.ErrorIs(t, err, sql.ErrNoRows)
		}
	}
	assert.Equal(t, 1, calls, "it is remembered")
}

// The loader has said that there is no value. An expired copy does not come back when
// the loader fails the next time.
func TestGoneStaysGone_Stale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithStaleIfError(time.Hour))
		require.NoError(t, w.Set(t.Context(), "k", "old", time.Second))
		time.Sleep(2 * time.Second)
		require.NoError(t, w.Map2.Delete(t.Context(), "k"))
		value, err := w.GetOrLoad(t.Context(), "k", 0, returns("", errRefused))
		require.NoError(t, err)
		assert.Equal(t, "old", value)
		for _, loader := range []error{tiercache.ErrNotFound, errRefused} {
			_, err = w.GetOrLoad(t.Context(), "k", 0, returns("", loader))
			require.ErrorIs(t, err, loader)
		}
	})
}

// A refresh says that there is no value any more, under every policy of reads.
func TestGoneStaysGone_Refresh(t *testing.T) {
	t.Parallel()
	for name, opt := range refreshing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t, tiercache.WithRefreshAhead(0.5), opt)
				require.NoError(t, w.Set(t.Context(), "k", "v", time.Minute))
				time.Sleep(40 * time.Second)
				value, err := w.GetOrLoad(t.Context(), "k", time.Minute, returns("", tiercache.ErrNotFound))
				require.NoError(t, err)
				assert.Equal(t, "v", value)
				synctest.Wait()
				assertHolds(t, w, "", "")
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// refreshing are options that change the way to L1.
func refreshing() map[string]tiercache.Option {
	return map[string]tiercache.Option{
		"default":        nil,
		"spans of hits":  tiercache.WithL1HitSpans(),
		"race":           tiercache.WithReadPolicy(readpolicy.Race()),
		"parallel":       tiercache.WithReadPolicy(readpolicy.Parallel()),
		"stale if error": tiercache.WithStaleIfError(time.Hour),
		"negatives":      tiercache.WithNegativeTTL(time.Minute),
		"async":          tiercache.WithAsyncLoadWrites(),
		"no refill":      tiercache.WithRefill(tiercache.RefillNever),
	}
}

// Refresh-ahead works with each option that touches its path, and a refresh that fails is
// not repeated at every hit.
func TestRefreshAhead_Pairs(t *testing.T) {
	t.Parallel()
	for name, opt := range refreshing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t, tiercache.WithRefreshAhead(0.5), opt)
				require.NoError(t, w.Set(t.Context(), "k", "v", time.Minute))
				time.Sleep(40 * time.Second)
				calls, fail := 0, true
				load := func(context.Context, string) (string, error) { //nolint:unparam // it has the type of a loader
					calls++
					if fail {
						return "", errRefused
					}
					return "new", nil
				}
				hit := func(want string) {
					t.Helper()
					value, err := w.GetOrLoad(t.Context(), "k", time.Minute, load)
					require.NoError(t, err)
					assert.Equal(t, want, value)
					synctest.Wait()
				}
				for range 10 {
					hit("v")
				}
				assert.Equal(t, 1, calls, "it backs off")
				time.Sleep(time.Second)
				fail = false
				hit("v")
				assert.Equal(t, 2, calls)
				hit("new")
				assert.Equal(t, 2, calls)
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// A negative entry does not hide a value that L1 has got since, under every policy.
func TestNegativeHidesNoValue(t *testing.T) {
	t.Parallel()
	for name, opt := range refreshing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, tiercache.WithNegativeTTL(time.Minute), opt)
			_, err := w.GetOrLoad(t.Context(), "k", 0, returns("", tiercache.ErrNotFound))
			require.ErrorIs(t, err, tiercache.ErrNotFound)
			require.NoError(t, w.Map1.Set(t.Context(), "k", backends.Entry[string]{Value: "v"})) // as by a refill
			value, err := w.GetOrLoad(t.Context(), "k", 0, returns("loaded", nil))
			require.NoError(t, err)
			assert.Equal(t, "v", value)
			require.NoError(t, w.Close(t.Context()))
		})
	}
}

// All callers have left. The loader's word reaches nobody, and is not remembered.
func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t, tiercache.WithNegativeTTL(time.Hour))
		_, err := w.GetOrLoad(within(t, time.Second), "k", 0, func(context.Context, string) (string, error) {
			time.Sleep(2 * time.Second)
			return "", tiercache.ErrNotFound
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(2 * time.Second)
		value, err := w.GetOrLoad(t.Context(), "k", 0, returns("v", nil))
		require.NoError(t, err)
		assert.Equal(t, "v", value)
		require.NoError(t, w.Close(t.Context()))
	})
}

// Mistakes with the tiers and with options that need each other.
func TestNew_Mistakes(t *testing.T) {
	t.Parallel()
	m := backendtest.NewMap[string]()
	remote := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{System: "redis"})
	for name, test := range map[string]struct {
		l1, l2 backends.Backend[string]
		opt    tiercache.Option
		want   string
	}{
		"one backend twice":       {m, m, nil, "l1 and l2 are one backend"},
		"in the wrong order":      {remote, m, nil, "pass them in the other order"},
		"no read timeout":         {m, remote, tiercache.WithReadTimeout(0), "read timeout is 0s"},
		"no background timeout":   {m, remote, tiercache.WithBackgroundTimeout(-1), "background timeout is -1ns"},
		"slow without stale":      {m, remote, tiercache.WithStaleIfSlow(time.Second), "needs WithStaleIfError"},
		"negative soft limit":     {m, remote, tiercache.WithStaleIfSlow(-1), "WithStaleIfSlow(-1ns)"},
		"a jitter of no limit":    {m, remote, tiercache.WithL1TTL(0, 0.1), "WithL1TTL(0, 0.1)"},
		"signals of nothing":      {m, remote, tiercache.WithTelemetry(tracing.WithSignals(4)), "tracing.WithSignals(4)"},
		"spans of no tier":        {m, remote, tiercache.WithTelemetry(tracing.WithTierSpans(3)), "tracing.WithTierSpans(3)"},
		"spans of no process":     {m, remote, tiercache.WithTelemetry(tracing.WithProcessSpans(2)), "tracing.WithProcessSpans(2)"},
		"negative limit of loads": {m, remote, tiercache.WithMaxLoads(-1), "WithMaxLoads(-1)"},
	} {
		_, err := tiercache.New("users", test.l1, test.l2, test.opt)
		require.ErrorIs(t, err, tiercache.ErrInvalid, name)
		require.ErrorContains(t, err, test.want, name)
	}
}

// L1 can have a value unless there are no refills, the policy stores none there, and nothing
// else does.
func TestNew_L1IsUsed(t *testing.T) {
	t.Parallel()
	around, never := tiercache.WithWritePolicy(writepolicy.WriteAround()), tiercache.WithRefill(tiercache.RefillNever)
	create := func(l2 backends.Backend[string], opts ...tiercache.Option) error {
		c, err := tiercache.New("users", backendtest.NewMap[string](), l2, opts...)
		if err != nil {
			return err
		}
		return c.Close(t.Context())
	}
	plain := backendtest.WithFaults(backendtest.NewMap[string]()).Described(backends.Description{System: "redis"})
	for _, p := range []tiercache.Option{
		around, tiercache.WithWritePolicy(writepolicy.WithName("mine", writepolicy.WriteAround())),
	} {
		err := create(plain, p, never)
		require.ErrorIs(t, err, tiercache.ErrInvalid)
		require.ErrorContains(t, err, "L1 would never have a value")
	}
	require.NoError(t, create(plain, around))
	require.NoError(t, create(plain, never))
	require.NoError(t, create(plain, around, never, tiercache.WithKeepLoaded(time.Second)))
	require.NoError(t, create(backendtest.NewStore[string]().Client(), around, never))
	require.NoError(t, create(plain, never, tiercache.WithWritePolicy(foreign(writepolicy.WriteAround()))))
}

// Many load a key during a slow write of it. Each finds nothing in the tiers, and they
// share one call of the loader. Those who come after the write do not.
func TestLoadsDuringAWriteShareTheLoader(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(ctx context.Context, w *fixture) error{
		"delete": func(ctx context.Context, w *fixture) error { return w.Delete(ctx, "k") },
		"set":    func(ctx context.Context, w *fixture) error { return w.Set(ctx, "k", "set", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newFixture(t, tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)))
				slow := backendtest.Delay(time.Second)
				w.L2.Next(tier.Set, slow)
				w.L2.Next(tier.Delete, slow)
				go func() { assert.NoError(t, write(t.Context(), w)) }()
				synctest.Wait()
				var calls atomic.Int64
				load := func(context.Context, string) (string, error) { //nolint:unparam // it has the type of a loader
					calls.Add(1)
					time.Sleep(10 * time.Second)
					return "loaded", nil
				}
				for range 100 {
					go func() {
						value, err := w.GetOrLoad(t.Context(), "k", 0, load)
						assert.NoError(t, err)
						assert.Equal(t, "loaded", value)
					}()
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				assert.EqualValues(t, 1, calls.Load(), "during the write")
				require.NoError(t, w.Map1.Delete(t.Context(), "k"))
				require.NoError(t, w.Map2.Delete(t.Context(), "k"))
				for range 100 {
					go func() { _, _ = w.GetOrLoad(t.Context(), "k", 0, load) }()
				}
				synctest.Wait()
				assert.EqualValues(t, 2, calls.Load(), "those who come later have a load of their own")
				require.NoError(t, w.Close(t.Context()))
			})
		})
	}
}

// A caller that leaves a shared call of the loader does not fail the others, and the
// last one ends it.
func TestLoadsDuringAWrite_Leave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newFixture(t)
		w.L1.Next(tier.Delete, backendtest.Delay(time.Minute))
		go func() { assert.NoError(t, w.Delete(t.Context(), "k")) }()
		synctest.Wait()
		ended := make(chan error, 1)
		load := func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return "", ctx.Err()
		}
		begin := time.Now()
		for i := range 3 {
			go func() {
				_, err := w.GetOrLoad(within(t, time.Duration(i+1)*time.Second), "k", 0, load)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			}()
		}
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begin))
		require.NoError(t, w.Close(t.Context()))
	})
}

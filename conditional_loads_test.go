package tiercache_test

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/readpolicy"
	"github.com/tiercache/tiercache/tracing"
)

// overtaken is a load of "k" in one process, which has read the row "old" when another
// process changes the key.
type overtaken struct {
	process[string]
	t      *testing.T
	change func() error // by the other process
	err    error        // of the loader
	loads  int
}

// row reads the source, and is overtaken.
func (o *overtaken) row(context.Context, string) (string, error) {
	o.loads++
	require.NoError(o.t, o.change())
	return "old", o.err
}

func (o *overtaken) rows(_ context.Context, keys []string) (map[string]string, error) {
	value, err := o.row(o.t.Context(), "k")
	return map[string]string{keys[0]: "another", "k": value}, err
}

// overtakenLoads are the ways to load, by name. Those that begin with a value need one.
var overtakenLoads = map[string]struct {
	of      func(o *overtaken) (string, error)
	opts    []tiercache.Option
	refresh bool
	kept    string // the value that the caller gets, "old" if it is not this one
}{
	"a load": {of: func(o *overtaken) (string, error) {
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row)
	}},
	"a load that skips l1": {of: func(o *overtaken) (string, error) {
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row, tiercache.SkipL1())
	}},
	"a load that asks both tiers at once": {of: func(o *overtaken) (string, error) {
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row)
	}, opts: []tiercache.Option{tiercache.WithReadPolicy(readpolicy.Race())}},
	"a load that is written later": {of: func(o *overtaken) (string, error) {
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row)
	}, opts: []tiercache.Option{tiercache.WithAsyncLoadWrites()}},
	"a batch": {of: func(o *overtaken) (string, error) {
		found, err := o.GetOrLoadMany(o.t.Context(), []string{"another", "k"}, time.Minute, o.rows)
		return found[1].Value, err
	}},
	"a refresh": {of: func(o *overtaken) (string, error) {
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row, tiercache.Refresh())
	}, refresh: true},
	"a refresh ahead": {of: func(o *overtaken) (string, error) {
		time.Sleep(40 * time.Second)
		return o.GetOrLoad(o.t.Context(), "k", time.Minute, o.row)
	}, refresh: true, opts: []tiercache.Option{tiercache.WithRefreshAhead(0.5)}, kept: "first"},
}

// memories are the states of L2 before a load that begins with a miss.
var memories = map[string]func(t *testing.T, there process[string]){
	"l2 knows nothing": func(*testing.T, process[string]) {},
	"a deletion": func(t *testing.T, there process[string]) {
		t.Helper()
		require.NoError(t, there.Delete(t.Context(), "k"))
	},
	"an expired entry": func(t *testing.T, there process[string]) {
		t.Helper()
		require.NoError(t, there.Set(t.Context(), "k", "expired", time.Second))
		time.Sleep(2 * time.Second)
	},
}

// overtakes are the changes by the other process, with the value that it leaves.
var overtakes = map[string]struct {
	change func(ctx context.Context, there process[string]) error
	leaves string
}{
	"a delete": {func(ctx context.Context, there process[string]) error { return there.Delete(ctx, "k") }, ""},
	"a set": {func(ctx context.Context, there process[string]) error {
		return there.Set(ctx, "k", "new", time.Hour)
	}, "new"},
	"a set and a delete": {func(ctx context.Context, there process[string]) error {
		if err := there.Set(ctx, "k", "new", time.Hour); err != nil {
			return err
		}
		return there.Delete(ctx, "k")
	}, ""},
	"a load of its own": {func(ctx context.Context, there process[string]) error {
		_, err := there.GetOrLoad(ctx, "k", time.Hour, func(context.Context, string) (string, error) { return "new", nil }, tiercache.Refresh())
		return err
	}, "new"},
	"nothing": {func(context.Context, process[string]) error { return nil }, "old"},
}

// A loaded row that another process has overtaken is in neither tier, its callers get it,
// and the next read does not.
func TestConditionalLoads_Overtaken(t *testing.T) {
	t.Parallel()
	for load, way := range overtakenLoads {
		for memory, remember := range memories {
			if way.refresh {
				memory, remember = "l2 has an entry", nil
			}
			for overtake, test := range overtakes {
				t.Run(load+"/"+memory+"/"+overtake, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						store := backendtest.NewStore[string]()
						opts := append([]tiercache.Option{tiercache.WithConditionalLoads()}, way.opts...)
						there, o := newProcess(t, store, tiercache.WithConditionalLoads()), &overtaken{t: t, process: newProcess(t, store, opts...)}
						o.change = func() error { return test.change(t.Context(), there) }
						if way.refresh {
							require.NoError(t, o.Set(t.Context(), "k", "first", time.Minute))
						} else {
							remember(t, there)
						}
						got, err := way.of(o)
						require.NoError(t, err)
						assert.Equal(t, cmp.Or(way.kept, "old"), got, "the caller's")
						synctest.Wait()
						o.requireLeft(store, test.leaves)
						assert.Equal(t, 1, o.loads)
					})
				})
			}
			if way.refresh {
				break
			}
		}
	}
}

// requireLeft checks the tiers, and the next read; "" is no value.
func (o *overtaken) requireLeft(store *backendtest.Store[string], want string) {
	o.t.Helper()
	assert.Equal(o.t, want, store.Snapshot()["k"].Value, "L2")
	if value, ok := o.inL1("k"); ok {
		assert.Equal(o.t, want, value, "L1")
	}
	if want == "" {
		want = "loaded anew"
	}
	got, err := o.GetOrLoad(o.t.Context(), "k", time.Minute, func(context.Context, string) (string, error) { return "loaded anew", nil })
	require.NoError(o.t, err)
	assert.Equal(o.t, want, got, "the next read")
}

// Without the option, the row comes back: the test above sees it.
func TestConditionalLoads_Off(t *testing.T) {
	t.Parallel()
	for load, way := range overtakenLoads {
		for overtake, test := range overtakes {
			t.Run(load+"/"+overtake, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := backendtest.NewStore[string]()
					there, o := newProcess(t, store), &overtaken{t: t, process: newProcess(t, store, way.opts...)}
					o.change = func() error { return test.change(t.Context(), there) }
					if way.refresh {
						require.NoError(t, o.Set(t.Context(), "k", "first", time.Minute))
					}
					_, err := way.of(o)
					require.NoError(t, err)
					synctest.Wait()
					assert.Equal(t, "old", store.Snapshot()["k"].Value)
				})
			})
		}
	}
}

// A refresh that finds no row removes the entry, but not that of another process.
func TestConditionalLoads_RefreshFindsNothing(t *testing.T) {
	t.Parallel()
	for load, way := range overtakenLoads {
		for overtake, test := range overtakes {
			for name, want := range map[string]string{"on": test.leaves, "off": ""} {
				if !way.refresh {
					continue
				}
				t.Run(load+"/"+overtake+"/"+name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						store := backendtest.NewStore[string]()
						opts := way.opts
						if name == "on" {
							opts = append([]tiercache.Option{tiercache.WithConditionalLoads()}, opts...)
						}
						there, o := newProcess(t, store), &overtaken{t: t, process: newProcess(t, store, opts...), err: tiercache.ErrNotFound}
						o.change = func() error { return test.change(t.Context(), there) }
						require.NoError(t, o.Set(t.Context(), "k", "first", time.Minute))
						_, err := way.of(o)
						if way.kept == "" {
							require.ErrorIs(t, err, tiercache.ErrNotFound)
						}
						synctest.Wait()
						if overtake == "nothing" {
							want = ""
						}
						o.requireLeft(store, want)
					})
				})
			}
		}
	}
}

// A process deletes a row that another one is loading.
func ExampleWithConditionalLoads() {
	ctx := context.Background()
	store := backendtest.NewStore[string]() // a Redis with a log, for instance
	cache, err := tiercache.New("users", backendtest.NewMap[string](), store.Client(),
		tiercache.WithConditionalLoads(), tiercache.WithTelemetry(tracing.Disabled()))
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close(ctx) }()
	other := store.Client()
	value, err := cache.GetOrLoad(ctx, "42", time.Hour, func(ctx context.Context, key string) (string, error) {
		return "Ada", other.Delete(ctx, key) // the row was read before it was deleted
	})
	fmt.Println(value, err)
	_, ok, err := cache.Get(ctx, "42")
	fmt.Println(ok, err)
	// Output:
	// Ada <nil>
	// false <nil>
}

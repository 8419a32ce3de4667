package redis_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/writepolicy"
)

// cutFixture is a cache whose connections to Redis can be cut, and a way of the test's own
// to each tier.
type cutFixture struct {
	*tiercache.Cache[[]byte]
	capture
	*cutServer
	client *redis.Client // with the cut
	l1     *backendtest.Map[[]byte]
	l2     *redisbackend.Backend // through no cut
	keys   []string
}

func newCutFixture(t *testing.T, policy writepolicy.Policy, opts ...redisbackend.Option) *cutFixture {
	t.Helper()
	f := &cutFixture{
		capture: capture{tiercachetest.NewRecorder()}, cutServer: startCut(t),
		l1: backendtest.NewMap[[]byte](), keys: []string{"key:0", "key:1", "key:2"},
	}
	opts = append(opts, redisbackend.WithoutKeyPrefix())
	var err error
	f.l2, err = redisbackend.New(f.server.Admin, opts...)
	require.NoError(t, err)
	f.fill(t, "")
	f.countOthers(t)
	o := clientOptions(f.addr)
	o.Dialer = f.dial
	f.client = redis.NewClient(o)
	t.Cleanup(func() { assert.NoError(t, f.client.Close()) })
	l2, err := redisbackend.New(f.client, opts...)
	require.NoError(t, err)
	f.Cache, err = tiercache.New("users", f.l1, l2, append(f.Options(), tiercache.WithWritePolicy(policy), tiercache.WithWriteTimeout(patience))...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close(context.WithoutCancel(t.Context()))) })
	return f
}

// fill puts value at all keys of both tiers.
func (f *cutFixture) fill(t *testing.T, value string) {
	t.Helper()
	entry := backends.Entry[[]byte]{Value: []byte(value)}
	writes, done := make([]write, len(f.keys)), make([]backends.Done, len(f.keys))
	for i, key := range f.keys {
		require.NoError(t, f.l1.Set(t.Context(), key, entry))
		writes[i] = write{Key: key, Kind: tier.Set, Entry: entry}
	}
	f.l2.WriteMany(t.Context(), writes, done)
	for i := range done {
		require.NoError(t, done[i].Err)
	}
}

// holds returns the values that the tiers have when the server has executed all that has
// reached it; "" is none.
func (f *cutFixture) holds(t *testing.T) (l1, l2 []string) {
	t.Helper()
	f.settle(t)
	in1 := f.l1.Snapshot()
	got := make([]backends.Got[[]byte], len(f.keys))
	f.l2.GetMany(t.Context(), f.keys, got)
	for i, key := range f.keys {
		require.NoError(t, got[i].Err)
		l1, l2 = append(l1, string(in1[key].Value)), append(l2, string(got[i].Entry.Value))
	}
	return l1, l2
}

// cutRun is one operation on all keys during which the connection was cut.
type cutRun struct {
	f         *cutFixture
	kind      tier.Kind
	direction string
	old, new  string // values
	found     []tiercache.Found[[]byte]
	err       error
	whole     int // answers that have come as a whole
	outcomes  map[tier.Outcome]int
}

// kindsOfBatch are the operations. Value is what a tier has that has applied it.
var kindsOfBatch = map[tier.Kind]func(ctx context.Context, r *cutRun){
	tier.Set: func(ctx context.Context, r *cutRun) {
		r.err = r.f.SetMany(ctx, func(yield func(string, []byte) bool) {
			for _, key := range r.f.keys {
				if !yield(key, []byte(r.new)) {
					return
				}
			}
		}, 0)
	},
	tier.Delete: func(ctx context.Context, r *cutRun) { r.new, r.err = "", r.f.DeleteMany(ctx, r.f.keys) },
	tier.Get: func(ctx context.Context, r *cutRun) {
		for _, key := range r.f.keys[1:] { // L1 has the first one
			r.err = errors.Join(r.err, r.f.l1.Delete(ctx, key))
		}
		if r.err == nil {
			r.found, r.err = r.f.GetMany(ctx, r.f.keys)
		}
	},
}

// A cache whose connection is cut at any byte of a batch, of its commands or of their
// answers, tells of each key what has become of it in each tier, or that nobody knows; and
// there is an event of each key whose tiers differ.
func TestBatches_CacheCutAnywhere(t *testing.T) {
	t.Parallel()
	l1First, l2First := writepolicy.Sequential(), writepolicy.Sequential(writepolicy.L2First)
	log := redisbackend.WithLog()
	for name, test := range map[string]struct {
		policy   writepolicy.Policy
		options  []redisbackend.Option
		commands []tier.Kind // those that are cut: they are long with a log
	}{
		"plain":           {l1First, nil, []tier.Kind{tier.Set, tier.Delete, tier.Get}},
		"plain, L2 first": {l2First, nil, []tier.Kind{tier.Set, tier.Delete}},
		"log":             {l1First, []redisbackend.Option{log}, []tier.Kind{tier.Set, tier.Get}},
		"log, L2 first":   {l2First, []redisbackend.Option{log}, []tier.Kind{tier.Delete}},
		"partitions":      {l1First, []redisbackend.Option{log, redisbackend.WithLogPartitions(5)}, []tier.Kind{tier.Get}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newCutFixture(t, test.policy, test.options...)
			for _, kind := range test.commands {
				t.Run(kind.String()+" commands", func(t *testing.T) { f.cutEverywhere(t, kind, commands, false) })
			}
			for kind := range kindsOfBatch {
				t.Run(kind.String()+" answers", func(t *testing.T) { f.cutEverywhere(t, kind, answers, false) })
				if kind != tier.Get && test.options != nil {
					t.Run(kind.String()+" answers, no script", func(t *testing.T) { f.cutEverywhere(t, kind, answers, true) })
				}
			}
		})
	}
}

// cutEverywhere cuts at the first byte, at the second, and so on until an operation needs
// no more of them. NoScript makes the server forget its scripts before each.
func (f *cutFixture) cutEverywhere(t *testing.T, kind tier.Kind, direction string, noScript bool) {
	t.Helper()
	goesOn := func() { // so the server has both scripts, and the cache knows the logs
		for _, kind := range []tier.Kind{tier.Set, tier.Delete} {
			r := &cutRun{f: f}
			kindsOfBatch[kind](t.Context(), r)
			require.NoError(t, r.err)
		}
	}
	goesOn()
	sum := make(map[tier.Outcome]int)
	for at, struck := int64(0), true; struck && !t.Failed(); at++ {
		r := &cutRun{
			f: f, kind: kind, direction: direction, outcomes: make(map[tier.Outcome]int),
			old: "old " + strconv.FormatInt(at, 10), new: "new " + strconv.FormatInt(at, 10),
		}
		f.fill(t, r.old)
		require.NoError(t, f.client.Ping(t.Context()).Err()) // so it has a connection
		if noScript {
			require.NoError(t, f.server.Admin.ScriptFlush(t.Context()).Err())
		}
		f.Reset()
		f.after(direction, at)
		kindsOfBatch[kind](t.Context(), r)
		var data []byte
		struck, data = f.happened()
		f.mend()
		r.whole = whole(data)
		require.Equal(t, struck, r.err != nil, "cut at byte %d of the %s: %v", at, direction, r.err)
		r.check(t)
		if t.Failed() {
			t.Logf("cut at byte %d of the %s: %v", at, direction, r.err)
		}
		for o, n := range r.outcomes {
			sum[o] += n
		}
	}
	goesOn()
	t.Log(sum)
	assert.NotZero(t, sum[tier.Applied], "outcomes that are known")
	assert.NotZero(t, sum[tier.Unknown]+sum[tier.Failed], "outcomes of a cut")
}

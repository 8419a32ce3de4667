package redis_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// cutFixture is a cache whose connections to Redis can be cut, and a way of the test's own
// to each tier.
type cutFixture struct {
	*tiercache.Cache[[]byte]
	capture
	*cut
	client *redis.Client // with the cut
	l1     *backendtest.Map[[]byte]
	l2     *redisbackend.Backend // through no cut
	server *server.Redis
	others int // connections of the server that are not the cache's
	keys   []string
}

func newCutFixture(t *testing.T, policy writepolicy.Policy, opts ...redisbackend.Option) *cutFixture {
	t.Helper()
	s := startRedis(t)
	f := &cutFixture{
		capture: capture{tiercachetest.NewRecorder()}, cut: newCut(s.Addr), server: s,
		l1: backendtest.NewMap[[]byte](), keys: []string{"key:0", "key:1", "key:2"},
	}
	opts = append(opts, redisbackend.WithoutKeyPrefix())
	var err error
	f.l2, err = redisbackend.New(s.Admin, opts...)
	require.NoError(t, err)
	f.fill(t, "")
	f.others = f.connected(t)
	o := clientOptions(s.Addr)
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

// connected returns how many connections the server has.
func (f *cutFixture) connected(t *testing.T) int {
	t.Helper()
	info, err := f.server.Admin.Info(t.Context(), "clients").Result()
	require.NoError(t, err)
	_, rest, _ := strings.Cut(info, "connected_clients:")
	text, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
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
	for f.connected(t) != f.others+f.connections() { // it has not seen yet that one is closed
		require.NoError(t, t.Context().Err())
	}
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
		policy  writepolicy.Policy
		options []redisbackend.Option
	}{
		"plain": {policy: l1First}, "plain, L2 first": {policy: l2First},
		"log": {l1First, []redisbackend.Option{log}}, "log, L2 first": {l2First, []redisbackend.Option{log}},
		"partitions": {l1First, []redisbackend.Option{log, redisbackend.WithLogPartitions(5)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newCutFixture(t, test.policy, test.options...)
			for kind := range kindsOfBatch {
				for _, direction := range []string{commands, answers} {
					if name == "partitions" && kind != tier.Get && direction == commands {
						continue // they are sent as those of one partition
					}
					t.Run(kind.String()+" "+direction, func(t *testing.T) { f.cutEverywhere(t, kind, direction, false) })
				}
				if kind != tier.Get && len(test.options) > 0 {
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
	goesOn := func() { // and the server has both scripts
		require.NoError(t, f.Set(t.Context(), "warm", nil, 0))
		require.NoError(t, f.Delete(t.Context(), "warm"))
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

func (r *cutRun) check(t *testing.T) {
	t.Helper()
	if r.err != nil {
		var batch *tiercache.BatchError
		require.ErrorAs(t, r.err, &batch)
		assert.NotContains(t, r.err.Error(), "key:")
	}
	l1, l2 := r.f.holds(t)
	differ := make(map[string]bool)
	for i, key := range r.f.keys {
		if r.kind == tier.Get {
			r.checkRead(t, i, l1[i], l2[i])
		} else {
			differ[key] = r.checkWrite(t, i, l1[i], l2[i])
		}
	}
	if r.kind != tier.Get && r.direction == answers {
		assert.Equal(t, r.whole, r.outcomes[tier.Applied], "an answer that has come is believed, and no other is")
	}
	maps.DeleteFunc(differ, func(_ string, may bool) bool { return !may })
	r.checkEvents(t, differ)
}

func (r *cutRun) errorOf(i int) error {
	var batch *tiercache.BatchError
	if errors.As(r.err, &batch) {
		return batch.Of(i)
	}
	return nil
}

// checkRead: a value is the right one, and nothing that L2 has is a miss.
func (r *cutRun) checkRead(t *testing.T, i int, l1, l2 string) {
	t.Helper()
	assert.Equal(t, r.old, l2)
	if r.errorOf(i) != nil {
		r.outcomes[tier.Failed]++
		assert.NotZero(t, i, "L1 has the first one")
		assert.Empty(t, l1)
		assert.False(t, r.found[i].OK)
		return
	}
	r.outcomes[tier.Applied]++
	assert.True(t, r.found[i].OK)
	assert.Equal(t, r.old, string(r.found[i].Value))
	assert.Equal(t, r.old, l1)
}

// checkWrite: each tier holds what its outcome says. It returns whether the error says
// that the tiers may differ.
func (r *cutRun) checkWrite(t *testing.T, i int, l1, l2 string) (differ bool) {
	t.Helper()
	err := r.errorOf(i)
	if err == nil {
		r.outcomes[tier.Applied]++
		assert.Equal(t, [2]string{r.new, r.new}, [2]string{l1, l2})
		return false
	}
	var e *tier.WriteError
	require.ErrorAs(t, err, &e)
	r.outcomes[e.L2.Outcome]++
	assert.Contains(t, r.possible(e.L1), l1, "L1: %v", err)
	assert.Contains(t, r.possible(e.L2), l2, "L2: %v", err)
	may := errors.Is(err, tiercache.ErrInconsistent)
	if l1 != "" && l1 != l2 || l1 == "" && l2 != "" && r.kind == tier.Delete {
		assert.True(t, may, "the tiers differ: %v", err)
	}
	return may
}

// possible returns the values that a tier may hold by what was told of it.
func (r *cutRun) possible(result tier.Result) []string {
	switch {
	case result.Compensation == tier.Applied:
		return []string{""}
	case result.Outcome == tier.Applied:
		return []string{r.new}
	case result.Outcome == tier.Unknown:
		return []string{r.old, r.new}
	default: // failed, or it was not called
		return []string{r.old}
	}
}

// checkEvents: the hook, the log and the span tell of each key whose tiers may differ, and
// of no other.
func (r *cutRun) checkEvents(t *testing.T, differ map[string]bool) {
	t.Helper()
	told := make(map[string]bool)
	for _, i := range r.f.Inconsistencies() {
		assert.False(t, told[i.Key], "it was told before")
		assert.False(t, i.Verdict.Resolved)
		told[i.Key] = true
	}
	assert.Equal(t, differ, told)
	assert.Len(t, r.f.events(), len(differ))
	records := 0
	for _, record := range r.f.Records() {
		if record.EventName() == tracing.EventInconsistency {
			records++
		}
	}
	assert.Equal(t, len(differ), records)
}

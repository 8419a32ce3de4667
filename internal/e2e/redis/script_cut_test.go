package redis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tiercachetest"
)

// scriptFixture is a cache over a client whose connection can be cut, and a way of the
// test's own to each tier.
type scriptFixture struct {
	*cutServer
	capture
	cache  *tiercache.Cache[row]
	l1     *backendtest.Map[row]
	store  logBackend            // the cache's L2, with the cut
	direct *redisbackend.Backend // through no cut
}

// scriptClients are the clients. The bytes of a command are the same in both protocols, so
// one of each library is enough for the cuts of commands.
var scriptClients = map[string]struct {
	open     func(t *testing.T, s *cutServer) logBackend
	commands bool
}{
	"go-redis, RESP2": {func(t *testing.T, s *cutServer) logBackend { t.Helper(); return s.goRedis(t, 2) }, true},
	"go-redis, RESP3": {func(t *testing.T, s *cutServer) logBackend { t.Helper(); return s.goRedis(t, 3) }, false},
	"rueidis":         {func(t *testing.T, s *cutServer) logBackend { t.Helper(); return s.rueidis(t, false) }, false},
	"rueidis, always by the pipeline": {
		func(t *testing.T, s *cutServer) logBackend { t.Helper(); return s.rueidis(t, true) }, true,
	},
}

func newScriptFixture(t *testing.T, open func(t *testing.T, s *cutServer) logBackend) *scriptFixture {
	t.Helper()
	f := &scriptFixture{cutServer: startCut(t), capture: capture{tiercachetest.NewRecorder()}, l1: backendtest.NewMap[row]()}
	var err error
	f.direct, err = redisbackend.New(f.server.Admin, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	f.countOthers(t)
	f.store = open(t, f.cutServer)
	return f
}

// newCache makes the fixture's cache anew, over store.
func (f *scriptFixture) newCache(t *testing.T, store backends.Backend[[]byte], opts ...tiercache.Option) {
	t.Helper()
	l2, err := backends.WithCodec(store, backends.JSON[row]())
	require.NoError(t, err)
	opts = append(append(f.Options(), tiercache.WithWriteTimeout(patience), tiercache.WithReadTimeout(patience)), opts...)
	f.cache, err = tiercache.New("users", f.l1, l2, opts...)
	require.NoError(t, err)
	cache := f.cache
	t.Cleanup(func() { assert.NoError(t, cache.Close(context.WithoutCancel(t.Context()))) })
}

// put gives L2 the row, or a deletion or nothing, as if nothing had been there before.
func (f *scriptFixture) put(t *testing.T, r row, deleted uint64) {
	t.Helper()
	require.NoError(t, f.server.Admin.Del(t.Context(), valueKey).Err())
	switch {
	case deleted != 0:
		f.write(t, remove(write{Source: deleted}))
	case r != row{}:
		f.write(t, set(encoded(t, r), write{Source: r.Version}))
	}
}

func (f *scriptFixture) write(t *testing.T, w *write) {
	t.Helper()
	result, err := f.direct.Write(t.Context(), w)
	require.NoError(t, err)
	require.True(t, result.Applied())
}

func encoded(t *testing.T, r row) string {
	t.Helper()
	data, err := backends.JSON[row]().Encode(r)
	require.NoError(t, err)
	return string(data)
}

// stored is the state of L2.
type stored struct {
	row     row
	version backends.Version // of the row, or of a deletion
	log     uint64           // number of the last change
}

// holds returns the state of L2.
func (f *scriptFixture) holds(t *testing.T) (s stored) {
	t.Helper()
	entry, answer, err := f.direct.GetIf(t.Context(), key, 0)
	require.NoError(t, err)
	if answer.Found == backends.Hit {
		s.row, err = backends.JSON[row]().Decode(entry.Value)
		require.NoError(t, err)
	}
	s.version = answer.Version
	last, err := f.server.Admin.XRevRangeN(t.Context(), logKey, "+", "-", 1).Result()
	require.NoError(t, err)
	_, number, _ := strings.Cut(last[0].ID, "-")
	s.log, err = strconv.ParseUint(number, 10, 64)
	require.NoError(t, err)
	return s
}

// scriptRun is one call of the cache during which the connection was cut.
type scriptRun struct {
	*scriptFixture
	*scriptScenario
	variant   string
	direction string
	new       row
	answered  int // answers that have come as a whole and are no errors
	struck    bool

	before, after stored
	won           *tiercache.Entry[row] // the call returned it
	stored        bool                  // and said that it is the new one
	err           error
}

// The variants of a run, by the state of the connection and of the server.
const (
	connected = "connected"
	noScript  = "no script"      // the server has forgotten its scripts
	fresh     = "new connection" // the cut counts from its first byte on
)

// A connection that is cut at any byte of a script's call or of its answer leaves an exact
// outcome, or an unknown one, and never a wrong one: an applied write is in the server and in
// its log, a failed or superseded one is not, and the winner is the one that is there. L1
// has nothing that L2 refused, and the tiers differ only with an event.
func TestScripts_CutAnywhere(t *testing.T) {
	t.Parallel()
	for name, client := range scriptClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newScriptFixture(t, client.open)
			for _, scenario := range scriptScenarios() {
				t.Run(scenario.name, func(t *testing.T) {
					f.newCache(t, f.store, scenario.options...)
					known, unknown := 0, 0
					count := func(r *scriptRun) {
						if r.known() {
							known++
						} else {
							unknown++
						}
					}
					f.cutCall(t, scenario, connected, answers, count)
					if scenario.whole {
						f.cutCall(t, scenario, noScript, answers, count)
					}
					if scenario.whole && client.commands {
						f.cutCall(t, scenario, connected, commands, count)
					}
					if scenario.fresh {
						f.cutCall(t, scenario, fresh, commands, count)
						f.cutCall(t, scenario, fresh, answers, count)
					}
					t.Logf("%d known, %d unknown", known, unknown)
					assert.NotZero(t, known)
					assert.NotZero(t, unknown)
				})
			}
		})
	}
}

// cutCall cuts at the first byte, at the second, and so on until the call needs no more of
// them.
func (f *scriptFixture) cutCall(t *testing.T, s *scriptScenario, variant, direction string, count func(r *scriptRun)) {
	t.Helper()
	connect(t, f.store)
	require.NoError(t, f.store.Delete(t.Context(), "warm")) // so the server has the other script, too
	for at, struck := int64(0), true; struck && !t.Failed(); at++ {
		r := &scriptRun{
			scriptFixture: f, scriptScenario: s, variant: variant, direction: direction,
			new: row{"new " + strconv.FormatInt(at, 10), s.source},
		}
		r.prepare(t)
		f.after(direction, at)
		s.call(t.Context(), r)
		var data []byte
		struck, data = f.happened()
		r.struck, r.answered = struck, whole(data)
		f.mend()
		f.settle(t)
		r.after = f.holds(t)
		r.check(t)
		count(r)
		if t.Failed() {
			t.Logf("%s, cut at byte %d of the %s: %v", variant, at, direction, r.err)
		}
	}
}

// prepare makes the state before the call.
func (r *scriptRun) prepare(t *testing.T) {
	t.Helper()
	connect(t, r.store)
	r.put(t, r.has, r.deleted)
	if r.cold {
		require.NoError(t, r.l1.Delete(t.Context(), key))
	} else {
		require.NoError(t, r.l1.Set(t.Context(), key, backends.Entry[row]{Value: r.has}))
	}
	switch r.variant {
	case noScript:
		require.NoError(t, r.server.Admin.ScriptFlush(t.Context()).Err())
	case fresh:
		r.cut.after(commands, 0)
		_, _, err := r.store.Get(t.Context(), "warm")
		require.Error(t, err)
		r.mend()
	}
	r.before = r.holds(t)
	r.Reset()
}

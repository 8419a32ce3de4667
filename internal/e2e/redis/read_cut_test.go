package redis_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
)

// handWatched is a backend of whose changes the test tells the cache, over no connection.
type handWatched struct {
	logBackend
	describer backends.Describer
	sinks     chan backends.Sink
}

func (h *handWatched) Describe() backends.Description { return h.describer.Describe() }

func (h *handWatched) Watch(ctx context.Context, sink backends.Sink) error {
	h.sinks <- sink
	<-ctx.Done()
	return context.Cause(ctx)
}

// readScenarios are changes of L2 between the read that filled L1 and the one that compares
// L1's entry with L2.
var readScenarios = map[string]struct {
	change func(t *testing.T, f *scriptFixture, next row) (want row)
	answer string // how the answer to the script begins
}{
	"unchanged": {func(_ *testing.T, _ *scriptFixture, _ row) row { return row{Name: oldValue} }, `\*1\r`},
	"replaced": {func(t *testing.T, f *scriptFixture, next row) row {
		t.Helper()
		f.write(t, set(encoded(t, next), write{}))
		return next
	}, `\$`},
	"deleted": {func(t *testing.T, f *scriptFixture, _ row) row {
		t.Helper()
		f.write(t, remove(write{}))
		return row{}
	}, `\$`},
	"lost": {func(t *testing.T, f *scriptFixture, _ row) row {
		t.Helper()
		f.put(t, row{}, 0)
		return row{}
	}, `\$-1|_`},
}

// A connection that is cut at any byte of the script by which a read compares L1's entry
// with L2: the read fails, or returns the value that L2 has, and the next one returns that
// in any case. No read changes L2.
func TestScripts_ReadCutAnywhere(t *testing.T) {
	t.Parallel()
	for name, client := range scriptClients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newScriptFixture(t, client.open)
			describer, ok := f.store.(backends.Describer)
			require.True(t, ok)
			store := &handWatched{f.store, describer, make(chan backends.Sink, 1)}
			f.newCache(t, store, tiercache.WithCoherence(time.Hour, tiercache.AskL2))
			sink := <-store.sinks
			for name, scenario := range readScenarios {
				t.Run(name, func(t *testing.T) {
					r := &readRun{scriptFixture: f, sink: sink, change: scenario.change, answer: scenario.answer}
					r.cutEverywhere(t, answers, false)
					r.cutEverywhere(t, answers, true)
					if client.commands {
						r.cutEverywhere(t, commands, false)
					}
				})
			}
		})
	}
}

// readRun are reads of one scenario.
type readRun struct {
	*scriptFixture
	sink   backends.Sink
	change func(t *testing.T, f *scriptFixture, next row) (want row)
	answer string
}

func (r *readRun) cutEverywhere(t *testing.T, direction string, noScript bool) {
	t.Helper()
	connect(t, r.store)
	r.put(t, row{Name: oldValue}, 0)
	_, _, err := r.store.GetIf(t.Context(), key, r.holds(t).version) // so the server has the script
	require.NoError(t, err)
	for at, struck := int64(0), true; struck && !t.Failed(); at++ {
		connect(t, r.store)
		r.put(t, row{Name: oldValue}, 0)
		r.suspect(t)
		want := r.change(t, r.scriptFixture, row{Name: "new " + strconv.FormatInt(at, 10)})
		if noScript {
			require.NoError(t, r.server.Admin.ScriptFlush(t.Context()).Err())
		}
		before := r.holds(t)
		r.Reset()
		r.after(direction, at)
		entry, ok, err := r.cache.GetEntry(t.Context(), key)
		var data []byte
		struck, data = r.happened()
		r.mend()
		require.Equal(t, struck, err != nil, "cut at byte %d of the %s: %v", at, direction, err)
		if err != nil {
			assert.NotContains(t, err.Error(), key)
			assert.Equal(t, tiercache.Entry[row]{}, entry)
		} else {
			r.isRight(t, want, entry, ok)
			if direction == answers && !noScript {
				assert.Regexp(t, "^("+r.answer+")", string(data), "the script has answered")
			}
		}
		connect(t, r.store)
		entry, ok, err = r.cache.GetEntry(t.Context(), key)
		require.NoError(t, err)
		r.isRight(t, want, entry, ok)
		r.event(t, false)
		after := r.holds(t)
		after.log = before.log // the others are of the key
		assert.Equal(t, before, after)
		if t.Failed() {
			t.Logf("cut at byte %d of the %s: %v", at, direction, err)
		}
	}
}

// suspect makes L1 have L2's entry, of which the cache does not know whether it is fresh.
func (r *readRun) suspect(t *testing.T) {
	t.Helper()
	require.NoError(t, r.l1.Delete(t.Context(), key))
	_, ok, err := r.cache.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok)
	r.sink.Lost(backends.LossDisconnected)
	r.sink.Synced(time.Now())
}

func (r *readRun) isRight(t *testing.T, want row, entry tiercache.Entry[row], ok bool) {
	t.Helper()
	assert.Equal(t, want != row{}, ok)
	assert.Equal(t, want, entry.Value)
	assert.False(t, entry.Stale)
}

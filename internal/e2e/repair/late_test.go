package repair

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

const (
	lateKey = "late"
	prefix  = "v2:{0/1}:" // of keys in L2
	logKey  = "v2:{0/1}log"
)

// lateFixture is a cache whose write is kept back on its way, another one, and L2.
type lateFixture struct {
	*instance
	t      *testing.T
	server *server.Redis
	other  *instance
	truth  *secondTier
}

func newLateFixture(t *testing.T) *lateFixture {
	t.Helper()
	s := startServer(t, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000")
	f := &lateFixture{
		instance: newInstance(t, s, nil), t: t, server: s, other: newInstance(t, s, nil),
		truth: newL2(t, redis.NewClient(clientOptions(s.Addr))),
	}
	// The server has both scripts before one is kept back, which it would not execute otherwise.
	require.NoError(t, f.other.Set(t.Context(), "another", "value", 0))
	require.NoError(t, f.other.Delete(t.Context(), "another"))
	require.NoError(t, f.other.Set(t.Context(), lateKey, "old", 0))
	f.await(t, "it was told of all that, and L1 has the value", func() bool {
		entry, _, err := f.GetEntry(t.Context(), lateKey)
		return err == nil && entry.Tier == tier.L1
	})
	var kept atomic.Bool
	f.network.Meet(func(sent []byte) network.Fate {
		if isScript(sent) && bytes.Contains(sent, []byte(prefix+lateKey)) && kept.CompareAndSwap(false, true) {
			return network.Keep
		}
		return network.Pass
	})
	return f
}

// state is what L2 has at the key, and the end of its log.
type state struct {
	value   string
	found   backends.Found
	version backends.Version
	head    string
}

func (f *lateFixture) state() state {
	f.t.Helper()
	entry, answer, err := f.truth.GetIf(f.t.Context(), lateKey, 0)
	require.NoError(f.t, err)
	last, err := f.server.Admin.XRevRangeN(f.t.Context(), logKey, "+", "-", 1).Result()
	require.NoError(f.t, err)
	require.Len(f.t, last, 1)
	return state{entry.Value, answer.Found, answer.Version, last[0].ID}
}

// writes is how many writes of the key the server has executed, whether it refused them
// or not.
func (f *lateFixture) writes() (n int) {
	f.t.Helper()
	slow, err := f.server.Admin.SlowLogGet(f.t.Context(), -1).Result()
	require.NoError(f.t, err)
	for _, entry := range slow {
		if strings.HasPrefix(strings.ToLower(entry.Args[0]), "eval") && entry.Args[2] == "3" && entry.Args[3] == prefix+lateKey {
			n++
		}
	}
	return n
}

func (f *lateFixture) awaitClosed() {
	f.t.Helper()
	f.await(f.t, "the key is closed", func() bool { return f.Status().Repair.Open == 0 })
}

// A write is kept back on its way to the server, and comes through later.
func TestLate(t *testing.T) {
	t.Parallel()
	set := func(f *lateFixture) error { return f.Set(f.t.Context(), lateKey, "new", 0) }
	remove := func(f *lateFixture) error { return f.Delete(f.t.Context(), lateKey) }
	for name, write := range map[string]func(f *lateFixture) error{"Set": set, "Delete": remove} {
		want := map[string]string{"Set": "new"}[name]
		t.Run(name+", before its deadline", func(t *testing.T) {
			t.Parallel()
			f := newLateFixture(t)
			require.ErrorIs(t, write(f), tiercache.ErrInconsistent)
			f.network.LetGo()
			f.awaitClosed()
			assert.Equal(t, want, f.state().value)
			assert.Equal(t, 2, f.writes(), "there was nothing to repair")
		})
		t.Run(name+", after its repair", func(t *testing.T) {
			t.Parallel()
			f := newLateFixture(t)
			require.ErrorIs(t, write(f), tiercache.ErrInconsistent)
			f.awaitClosed()
			assert.Equal(t, want, f.state().value, "the repair has made the write again")
			f.arriveLate(3)
		})
		t.Run(name+", after its repair and another write", func(t *testing.T) {
			t.Parallel()
			f := newLateFixture(t)
			require.ErrorIs(t, write(f), tiercache.ErrInconsistent)
			f.awaitClosed()
			require.NoError(t, f.other.Set(t.Context(), lateKey, "newer", 0))
			f.arriveLate(4)
		})
		t.Run(name+", before its repair", func(t *testing.T) {
			t.Parallel()
			f := newLateFixture(t)
			require.ErrorIs(t, write(f), tiercache.ErrInconsistent)
			f.network.Hold(network.Down) // so that no repair hears of anything
			pause(t.Context(), callLimit+2*margin)
			before := f.state()
			f.network.LetGo()
			f.await(t, "it arrives", func() bool { return f.writes() == 2 })
			assert.Equal(t, before, f.state(), "it has no effect")
			f.network.Release(network.Down)
			f.awaitClosed()
			assert.Equal(t, want, f.state().value)
		})
	}
}

// arriveLate lets the write come through, and finds no effect of it in L2, nor here.
func (f *lateFixture) arriveLate(writes int) {
	f.t.Helper()
	books, before := f.Status().Repair, f.state()
	require.Equal(f.t, writes-1, f.writes())
	f.network.LetGo()
	f.await(f.t, "it arrives", func() bool { return f.writes() == writes })
	pause(f.t.Context(), 2*heartbeat)
	assert.Equal(f.t, before, f.state(), "it has no effect")
	assert.Equal(f.t, books, f.Status().Repair, "no event begins")
	entry, _, err := f.Get(f.t.Context(), lateKey)
	require.NoError(f.t, err)
	assert.Equal(f.t, before.value, entry)
}

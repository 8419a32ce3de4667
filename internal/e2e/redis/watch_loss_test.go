package redis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/stall"
)

// addRaw returns the arguments of an XADD of a change, as another process makes it.
func addRaw(id string) []any {
	return []any{"xadd", logKey, id, "k", key, "m", "s00000000", "s", "1", "u", "1"}
}

// lossCase is a way in which a reader loses the log.
type lossCase struct {
	lose  func(t *testing.T, f *logFixture, v backends.Version)
	cause backends.Loss
	era   bool // a new one begins
}

// losses are all ways in which a reader can lose the log while it is connected.
var losses = map[string]lossCase{
	// Messages come and are trimmed at once; XREAD returns the last without a word.
	"trimmed": {func(t *testing.T, f *logFixture, v backends.Version) {
		t.Helper()
		_, err := f.server.Admin.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
			for range 3 {
				p.Do(t.Context(), addRaw(eraOf(v)+"-*")...)
			}
			p.XTrimMaxLen(t.Context(), logKey, 1)
			return nil
		})
		require.NoError(t, err)
	}, backends.LossTrimmed, false},
	// XREAD BLOCK waits for ever behind the end of a log that is gone.
	"flushed": {func(t *testing.T, f *logFixture, _ backends.Version) {
		t.Helper()
		f.admin(t, "flushall")
	}, backends.LossLogReplaced, true},
	"deleted": {func(t *testing.T, f *logFixture, _ backends.Version) {
		t.Helper()
		f.admin(t, "del", logKey)
	}, backends.LossLogReplaced, true},
	"emptied": {func(t *testing.T, f *logFixture, _ backends.Version) {
		t.Helper()
		f.admin(t, "xtrim", logKey, "maxlen", 0)
	}, backends.LossLogReplaced, true},
	"its place deleted": {func(t *testing.T, f *logFixture, _ backends.Version) {
		t.Helper()
		f.admin(t, "del", placeKey)
	}, backends.LossLogReplaced, true},
	// A process that knows nothing of the era makes the same one again after a flush.
	"the same era again": {func(t *testing.T, f *logFixture, v backends.Version) {
		t.Helper()
		place := strings.Fields(f.admin(t, "get", placeKey).(string))
		_, err := f.server.Admin.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
			p.FlushAll(t.Context())
			p.Do(t.Context(), addRaw(eraOf(v)+"-"+strconv.FormatUint(v.Seq(), 10))...)
			p.Set(t.Context(), placeKey, place[0]+" "+place[1]+" another", 0)
			return nil
		})
		require.NoError(t, err)
	}, backends.LossLogReplaced, true},
	"a later era": {func(t *testing.T, f *logFixture, v backends.Version) {
		t.Helper()
		f.admin(t, addRaw(strconv.FormatUint(uint64(v.Era())+5, 10)+"-0")...)
	}, backends.LossLogReplaced, true},
	"the newest message deleted": {func(t *testing.T, f *logFixture, v backends.Version) {
		t.Helper()
		f.admin(t, "xdel", logKey, eraOf(v)+"-"+strconv.FormatUint(v.Seq(), 10))
	}, backends.LossBehind, true},
	// A value has a version that the log has lost, as after a failover.
	"behind a value": {func(t *testing.T, f *logFixture, v backends.Version) {
		t.Helper()
		value := []byte(f.admin(t, "get", valueKey).(string))
		value[19]++ // the last byte of the version
		f.admin(t, "set", valueKey, value)
		_, a := f.get(t)
		require.Equal(t, v+1, a.Version)
	}, backends.LossBehind, true},
	"another history": {func(t *testing.T, f *logFixture, _ backends.Version) {
		t.Helper()
		f.admin(t, "debug", "change-repl-id")
	}, backends.LossServerChanged, true},
}

func eraOf(v backends.Version) string { return strconv.FormatUint(uint64(v.Era()), 10) }

// Each cause of a loss is found within a heartbeat, and told once.
func TestWatch_Losses(t *testing.T) {
	t.Parallel()
	for name, test := range losses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &logFixture{server: startRedis(t, "--enable-debug-command", "yes")}
			f.client, f.logBackend = loggedAt(t, f.server.Addr)
			test.check(t, f)
		})
	}
}

// check loses the log of f.
func (test lossCase) check(t *testing.T, f *logFixture) {
	t.Helper()
	r := watchOf(t, f)
	r.isSynced(t)
	v := f.write(t, set("v", write{})).Version
	r.isSynced(t)
	begin, stalled := time.Now(), stall.Watch(t)
	test.lose(t, f, v)
	require.Eventually(t, func() bool { return len(r.lost()) > 0 }, patience, time.Millisecond)
	assert.Less(t, time.Since(begin), time.Second+stalled()) // a heartbeat, on a machine that is busy
	r.isSynced(t)
	later := f.write(t, set("later", write{})).Version
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{test.cause}, r.lost())
	assert.Equal(t, test.era, later.Era() > v.Era(), "%d after %d", later.Era(), v.Era())
	assert.Equal(t, later, r.versions()[len(r.versions())-1])
}

func TestWatch_Restart(t *testing.T) {
	t.Parallel()
	f := &logFixture{server: startRedis(t, durable...)}
	f.client, f.logBackend = loggedAt(t, f.server.Addr)
	r := watchOf(t, f)
	r.isSynced(t)
	v := f.write(t, set("v", write{})).Version
	require.NoError(t, f.server.Restart(t.Context()))
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{backends.LossServerChanged}, r.lost())
	assert.Greater(t, f.write(t, set("w", write{})).Version.Era(), v.Era())
}

// A server that stands still for a while, and connections that hang, cost nothing.
func TestWatch_Hangs(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	r := watchOf(t, f)
	r.isSynced(t)
	require.NoError(t, f.server.Pause())
	time.Sleep(1500 * time.Millisecond) // longer than any call of the reader
	require.NoError(t, f.server.Continue())
	r.isSynced(t)
	f.write(t, set("v", write{}))
	r.isSynced(t)
	assert.Equal(t, 1, r.count())
	assert.Empty(t, r.lost())
}

// A half-open connection is noticed in less than a second, and so is its end.
func TestWatch_HalfOpen(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	p := newProxy(t, f.server.Addr)
	_, b := loggedAt(t, p.Listen, redisbackend.WithLogLength(100))
	r := watchOf(t, b)
	r.isSynced(t)
	p.add(t, "timeout", downstream, map[string]any{"timeout": 0}) // holds answers back
	for i := range 50 {
		f.write(t, set(strconv.Itoa(i), write{}))
	}
	p.Toxics.ResetToxics(t.Context())
	begin, stalled := time.Now(), stall.Watch(t)
	r.isSynced(t)
	assert.Less(t, time.Since(begin), 2*time.Second+stalled())
	assert.Equal(t, 50, r.count())
	assert.Empty(t, r.lost())

	p.Stop()
	_, err := b.Write(t.Context(), set("v", write{}))
	require.Error(t, err)
	for range 500 {
		f.write(t, set("v", write{}))
	}
	f.admin(t, "xtrim", logKey, "maxlen", 10)
	require.NoError(t, p.Start())
	r.isSynced(t)
	assert.Equal(t, []backends.Loss{backends.LossDisconnected}, r.lost())
}

// A reader of other rules is noticed by those that run, which let it know of them, and
// by those that begin to watch later. Changes are still told.
func TestWatch_AnotherProtocol(t *testing.T) {
	t.Parallel()
	for name, meta := range map[string]string{"hello": "h2", "answer": "a2", "unknown": "?", "set": "s"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newLogFixture(t)
			r := watchOf(t, f)
			r.isSynced(t)
			v := f.write(t, set("1", write{})).Version
			f.admin(t, "xadd", logKey, eraOf(v)+"-*", "k", "", "m", meta, "s", "1", "u", "1")
			require.Eventually(t, func() bool { return len(r.lost()) > 0 }, patience, time.Millisecond)
			f.write(t, set("2", write{}))
			require.Eventually(t, func() bool { return r.count() == 2 }, patience, time.Millisecond)
			time.Sleep(600 * time.Millisecond) // two heartbeats
			assert.Equal(t, []backends.Loss{backends.LossProtocol}, r.lost())
			r.mu.Lock()
			assert.Zero(t, r.synced)
			r.mu.Unlock()
			later := watchOf(t, f)
			require.Eventually(t, func() bool { return len(later.lost()) > 0 }, patience, time.Millisecond)
			all, err := f.server.Admin.XRange(t.Context(), logKey, "-", "+").Result()
			require.NoError(t, err)
			answers := 0
			for _, m := range all {
				if m.Values["m"] == "a1" {
					answers++
				}
			}
			assert.Equal(t, map[bool]int{true: 1, false: 0}[name == "hello"], answers)
		})
	}
}

// A server that refuses a command can never be watched.
func TestWatch_Unsupported(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"-info", "-eval -evalsha", "-xread", "-xadd", "-xrevrange", "-time", "-script -evalsha -eval"} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			f := newLogFixture(t)
			f.admin(t, append([]any{"acl", "setuser", "reader", "on", "nopass", "~*", "+@all"}, fields(refused)...)...)
			o := clientOptions(f.server.Addr)
			o.Username, o.Password = "reader", "any"
			client := redis.NewClient(o)
			t.Cleanup(func() { assert.NoError(t, client.Close()) })
			b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
			require.NoError(t, err)
			r := new(followed)
			err = b.Watch(t.Context(), r)
			require.ErrorIs(t, err, backends.ErrUnsupported)
			assert.Equal(t, []backends.Loss{backends.LossUnsupported}, r.lost())
			assert.NotContains(t, err.Error(), "reader")
		})
	}
}

func fields(s string) (args []any) {
	for field := range strings.FieldsSeq(s) {
		args = append(args, field)
	}
	return args
}

func TestWatch_ClientThatIsClosed(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	client := redis.NewClient(clientOptions(s.Addr))
	b, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())
	require.NoError(t, err)
	r := new(followed)
	done := make(chan error)
	go func() { done <- b.Watch(context.WithoutCancel(t.Context()), r) }()
	r.isSynced(t)
	require.NoError(t, client.Close())
	require.ErrorIs(t, <-done, backends.ErrClosed)
	require.ErrorIs(t, b.Watch(t.Context(), r), backends.ErrClosed)
}

type panicky struct{ followed }

func (*panicky) Changed([]backends.Change) { panic("changed") }

// A sink that panics ends its own Watch alone.
func TestWatch_SinkThatPanics(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	r := watchOf(t, f)
	done := make(chan error)
	bad := new(panicky)
	go func() { done <- f.Watch(context.WithoutCancel(t.Context()), bad) }()
	r.isSynced(t)
	bad.isSynced(t)
	f.write(t, set("v", write{}))
	var panicked *backends.PanicError
	require.ErrorAs(t, <-done, &panicked)
	r.isSynced(t)
	assert.Equal(t, 1, r.count())
}

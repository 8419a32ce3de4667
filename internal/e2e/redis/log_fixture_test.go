package redis_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

// Keys of the log of a backend without a prefix and with one partition.
const (
	logKey   = "v2:{0/1}log"
	placeKey = "v2:{0/1}place"
	valueKey = "v2:{0/1}:" + key
)

// logBackend is an adapter to Redis with a log.
type logBackend interface { //nolint:interfacebloat // all that the adapters can
	backends.Backend[[]byte]
	backends.Versioned[[]byte]
	backends.Batcher[[]byte]
	backends.Clocked
	backends.Watcher
}

// logFixture is a backend with a log, and its server.
type logFixture struct {
	logBackend
	server *server.Redis
	client *redis.Client
}

func newLogFixture(t *testing.T) *logFixture {
	t.Helper()
	s := startRedis(t)
	f := &logFixture{server: s}
	f.client, f.logBackend = loggedAt(t, s.Addr)
	return f
}

// loggedAt returns another backend with a log, as another process would have it.
func loggedAt(tb testing.TB, addr string, opts ...redisbackend.Option) (*redis.Client, *redisbackend.Backend) {
	tb.Helper()
	o := clientOptions(addr)
	o.MaxRetries = 2
	client := redis.NewClient(o)
	tb.Cleanup(func() { assert.NoError(tb, client.Close()) })
	b, err := redisbackend.New(client, append(opts, redisbackend.WithoutKeyPrefix(), redisbackend.WithLog())...)
	require.NoError(tb, err)
	return client, b
}

// set and remove are writes of one key that w completes.
func set(value string, w backends.Write[[]byte]) *backends.Write[[]byte] {
	w.Key, w.Kind, w.Entry.Value = key, tier.Set, []byte(value)
	return &w
}

func remove(w backends.Write[[]byte]) *backends.Write[[]byte] {
	w.Key, w.Kind = key, tier.Delete
	return &w
}

// write requires that the write is applied.
func (f *logFixture) write(t *testing.T, w *backends.Write[[]byte]) backends.Result {
	t.Helper()
	r, err := f.Write(t.Context(), w)
	require.NoError(t, err)
	require.True(t, r.Applied(), "%+v", r)
	return r
}

// get returns the value, or "" for a miss, and the answer.
func (f *logFixture) get(t *testing.T) (string, backends.Answer) {
	t.Helper()
	e, a, err := f.GetIf(t.Context(), key, 0)
	require.NoError(t, err)
	return string(e.Value), a
}

// messages returns how many messages of changes the log has.
func (f *logFixture) messages(t *testing.T) (n int) {
	t.Helper()
	all, err := f.server.Admin.XRange(t.Context(), logKey, "-", "+").Result()
	require.NoError(t, err)
	for _, m := range all {
		if kind := m.Values["m"].(string)[0]; kind == 's' || kind == 'd' {
			n++
		}
	}
	return n
}

func (f *logFixture) admin(t *testing.T, args ...any) any {
	t.Helper()
	reply, err := f.server.Admin.Do(t.Context(), args...).Result()
	require.NoError(t, err)
	return reply
}

// storeTime is the server's own clock.
func (f *logFixture) storeTime(t *testing.T) time.Time {
	t.Helper()
	now, err := f.server.Admin.Time(t.Context()).Result()
	require.NoError(t, err)
	return now
}

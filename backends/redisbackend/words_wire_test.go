package redisbackend_test

import (
	"net"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// Bytes that are no reply, from a server that is none or is broken, and which
// may be a value.
func TestWordsForRepliesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"no type":              "hunter2\r\n",
		"a number of text":     ":hunter2\r\n",
		"a length of text":     "$hunter2\r\n",
		"an array":             "*1\r\n$7\r\nhunter2\r\n",
		"a length in an array": "*hunter2\r\n",
		"a map":                "%1\r\n$7\r\nhunter2\r\n:1\r\n",
		"a bool":               "#hunter2\r\n",
		"a float":              ",hunter2\r\n",
		"a big number":         "(hunter2\r\n",
		"a verbatim string":    "=7\r\nhunter2\r\n",
		"a status":             "+hunter2\r\n",
	} {
		for call, do := range map[string]func(t *testing.T, b *redisbackend.Backend) error{
			"Get": func(t *testing.T, b *redisbackend.Backend) error {
				t.Helper()
				_, _, err := b.Get(t.Context(), secret)
				return err
			},
			"Set": func(t *testing.T, b *redisbackend.Backend) error {
				t.Helper()
				return b.Set(t.Context(), secret, value(secret))
			},
			"Delete": func(t *testing.T, b *redisbackend.Backend) error { t.Helper(); return b.Delete(t.Context(), secret) },
		} {
			for kind, opts := range reads {
				t.Run(name+", "+call+", "+kind, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := newServer(t)
						b := newBackend(t, s.client(t, func(o *redis.Options) { o.MaxRetries = -1 }), opts...)
						odd := func(_ *peer, client net.Conn, _ []byte) bool {
							_, err := client.Write([]byte(sent))
							return err == nil
						}
						s.next(odd)
						s.nextGets(odd)
						err := do(t, b)
						if err == nil { // go-redis takes any status for that of a SET
							return
						}
						assert.NotContains(t, err.Error(), secret)
						assert.Contains(t, []string{"bad_reply", "damaged"}, errorType(t, err), err.Error())
						assert.False(t, backends.CertainlyNotApplied(err))
					})
				})
			}
		}
	}
}

// The same failure of another connection has the same text.
func TestTextsHaveNoPorts(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0) // resets it
			_ = conn.Close()
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = client.Close() })
	b := newBackend(t, client)
	for range 20 {
		_, _, err := b.Get(t.Context(), "k")
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "127.0.0.1")
		assert.Equal(t, "connection_lost", errorType(t, err))
	}
	require.NoError(t, listener.Close())
	require.EqualError(t, b.Delete(t.Context(), "k"), "redisbackend: delete failed: dial: connection refused")
}

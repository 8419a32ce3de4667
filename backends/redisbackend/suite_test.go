package redisbackend_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silence{}) // it reports every refused dial
	goleak.VerifyTestMain(m)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]redisbackend.Option{
		"with a header":         nil,
		"raw":                   {redisbackend.WithRawValues()},
		"with a prefix":         {redisbackend.WithKeyPrefix("shop:")},
		"raw and with a prefix": {redisbackend.WithRawValues(), redisbackend.WithKeyPrefix("\x00")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[[]byte]{
				New: func(t *testing.T) backends.Backend[[]byte] {
					t.Helper()
					return newServer(t).backend(t, opts...)
				},
				Value:  func(i int) []byte { return []byte(strconv.Itoa(i)) },
				Bubble: true,
			}.Run(t)
		})
	}
}

// The same over real connections, without a proxy between.
func TestSuite_OverTCP(t *testing.T) {
	t.Parallel()
	backendtest.Suite[[]byte]{
		New: func(t *testing.T) backends.Backend[[]byte] {
			t.Helper()
			s := newServer(t)
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			client := redis.NewClient(&redis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = client.Close() })
			return newBackend(t, client)
		},
		Value: func(i int) []byte { return []byte(strconv.Itoa(i)) },
	}.Run(t)
}

package redisbackend_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// server is a miniredis behind a network with the faults that a test wants. It has no
// sockets, so that it works in a bubble.
type server struct {
	*miniredis.Miniredis

	mu    sync.Mutex
	acts  []act   // for the coming SET and DEL commands, one for each
	gets  []act   // for the coming GET and EVAL commands, one for each
	dials []error // for the coming dials, one for each; nil lets it pass
	conns []net.Conn
	seen  []string // all commands
	wg    sync.WaitGroup
}

// act is the fate of one command.
type act func(upstream *peer, client net.Conn, command []byte) (goOn bool)

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{Miniredis: miniredis.NewMiniRedis()}
	s.ClockTTL(true)
	t.Cleanup(func() {
		s.mu.Lock()
		for _, c := range s.conns {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
		s.Close()
	})
	return s
}

func (s *server) options() *redis.Options {
	return &redis.Options{
		Addr:                     "redis.example:6379",
		Dialer:                   s.dial,
		ContextTimeoutEnabled:    true,
		DialerRetries:            1,
		DisableIdentity:          true,
		Protocol:                 2,
		PipelinePoolSize:         -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// client returns a client of the server with options that change may change.
func (s *server) client(t *testing.T, change func(o *redis.Options)) *redis.Client {
	t.Helper()
	o := s.options()
	if change != nil {
		change(o)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (s *server) backend(t *testing.T, opts ...redisbackend.Option) *redisbackend.Backend {
	t.Helper()
	return newBackend(t, s.client(t, nil), opts...)
}

// newBackend returns a backend over client, without a key prefix unless opts have
// one.
func newBackend(t *testing.T, client redis.UniversalClient, opts ...redisbackend.Option) *redisbackend.Backend {
	t.Helper()
	b, err := redisbackend.New(client, opts...)
	if errors.Is(err, redisbackend.ErrNoKeyPrefix) {
		b, err = redisbackend.New(client, append(slices.Clip(opts), redisbackend.WithoutKeyPrefix())...)
	}
	require.NoError(t, err)
	return b
}

// next queues the fates of the coming SET and DEL commands.
func (s *server) next(acts ...act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts = append(s.acts, acts...)
}

// nextGets queues the fates of the coming GET and EVAL commands.
func (s *server) nextGets(acts ...act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets = append(s.gets, acts...)
}

// nextDials queues the fates of the coming dials.
func (s *server) nextDials(errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, errs...)
}

// stop closes the connections, and refuses those to come.
func (s *server) stop() {
	s.nextDials(refuseAll...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

// commands returns the commands so far, as words.
func (s *server) commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dials) > 0 {
		err := s.dials[0]
		s.dials = s.dials[1:]
		if err != nil {
			return nil, err
		}
	}
	up, err := s.Dial()
	if err != nil {
		return nil, err
	}
	client, end := net.Pipe()
	mine := newBuffered(end)
	s.conns = append(s.conns, up, client, end)
	s.wg.Go(mine.flush)
	s.wg.Go(func() {
		defer func() { _, _ = up.Close(), mine.Close() }()
		in, upstream := newPeer(mine), newPeer(up)
		for {
			command, words, err := in.value()
			if err != nil || !s.take(words)(upstream, mine, command) {
				return
			}
		}
	})
	return conn{client}, nil
}

func (s *server) take(words []string) act {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, strings.Join(words, " "))
	var queue *[]act
	switch strings.ToLower(words[0]) {
	case "set", "del":
		queue = &s.acts
	case "get", "eval":
		queue = &s.gets
	}
	if queue == nil || len(*queue) == 0 {
		return pass
	}
	a := (*queue)[0]
	*queue = (*queue)[1:]
	return a
}

func value(s string) backends.Entry[[]byte] { return backends.Entry[[]byte]{Value: []byte(s)} }

func expiring(s string, ttl time.Duration) backends.Entry[[]byte] {
	return backends.Entry[[]byte]{Value: []byte(s), ExpiresAt: time.Now().Add(ttl)}
}

func requireHit(t *testing.T, b backends.Backend[[]byte], key string, want backends.Entry[[]byte]) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.True(t, ok, "a miss")
	require.Equal(t, string(want.Value), string(got.Value))
	require.True(t, want.ExpiresAt.Equal(got.ExpiresAt), "expires at %v, want %v", got.ExpiresAt, want.ExpiresAt)
}

func requireMiss(t *testing.T, b backends.Backend[[]byte], key string) {
	t.Helper()
	got, ok, err := b.Get(t.Context(), key)
	require.NoError(t, err)
	require.False(t, ok, "a hit")
	require.Zero(t, got)
}

func errorType(t *testing.T, err error) string {
	t.Helper()
	var typed interface{ ErrorType() string }
	require.ErrorAs(t, err, &typed)
	return typed.ErrorType()
}

// The proxy itself must be trusted first.
func TestServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client := s.client(t, func(o *redis.Options) { o.MaxRetries = -1 })
	s.next(pass, answer("OOM no"), applyThenDrop, drop, applyThenAnswer("ERR odd"))
	s.nextDials(nil, errRefused)
	for i, want := range []struct {
		fails bool
		value string
	}{{false, "0"}, {true, "0"}, {true, "2"}, {true, "2"}, {true, "2"}, {true, "5"}, {false, "6"}} {
		if i == 3 { // the refused dial
			require.ErrorIs(t, client.Set(t.Context(), "k", i, 0).Err(), syscall.ECONNREFUSED)
			continue
		}
		err := client.Set(t.Context(), "k", i, 0).Err()
		assert.Equal(t, want.fails, err != nil, "%d: %v", i, err)
		got, err := s.Get("k")
		require.NoError(t, err)
		assert.Equal(t, want.value, got, i)
	}
}

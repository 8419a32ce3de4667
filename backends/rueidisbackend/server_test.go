package rueidisbackend_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

// server is a miniredis behind a network with the faults that a test wants. It has no
// sockets, so that it works in a bubble.
type server struct {
	*miniredis.Miniredis

	mu    sync.Mutex
	acts  []act   // for the coming SET and DEL commands, one for each
	gets  []act   // for the coming GET, MGET and EVAL commands, one for each
	auths []act   // for the coming AUTH commands, one for each
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

// options are those of a client with one connection, whose commands are always sent by
// its pipeline.
func (s *server) options() rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress:       []string{"redis.example:6379"},
		DialCtxFn:         s.dial,
		DisableCache:      true,
		ForceSingleClient: true,
		AlwaysPipelining:  true,
		PipelineMultiplex: -1,
		ClientSetInfo:     rueidis.DisableClientSetInfo,
	}
}

// client returns a client of the server with options that change may change.
func (s *server) client(t *testing.T, change func(o *rueidis.ClientOption)) rueidis.Client {
	t.Helper()
	o := s.options()
	if change != nil {
		change(&o)
	}
	client, err := rueidis.NewClient(o)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func (s *server) backend(t *testing.T, opts ...rueidisbackend.Option) *rueidisbackend.Backend {
	t.Helper()
	return newBackend(t, s.client(t, nil), opts...)
}

// newBackend returns a backend over client, without a key prefix unless opts have
// one.
func newBackend(t *testing.T, client rueidis.Client, opts ...rueidisbackend.Option) *rueidisbackend.Backend {
	t.Helper()
	b, err := rueidisbackend.New(client, opts...)
	if errors.Is(err, rueidisbackend.ErrNoKeyPrefix) {
		b, err = rueidisbackend.New(client, append(slices.Clip(opts), rueidisbackend.WithoutKeyPrefix())...)
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

// nextGets queues the fates of the coming GET, MGET and EVAL commands.
func (s *server) nextGets(acts ...act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets = append(s.gets, acts...)
}

// nextAuths queues the fates of the coming AUTH commands.
func (s *server) nextAuths(acts ...act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auths = append(s.auths, acts...)
}

// nextDials queues the fates of the coming dials.
func (s *server) nextDials(errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, errs...)
}

// cut closes the connections.
func (s *server) cut() {
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

func (s *server) dial(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
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
	switch words[0] {
	case "SET", "DEL":
		queue = &s.acts
	case "GET", "MGET", "EVAL":
		queue = &s.gets
	case "AUTH":
		queue = &s.auths
	case "CLIENT":
		return accept // miniredis does not know all of it
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
	client := s.client(t, nil)
	s.next(pass, answer("OOM no"), applyThenDrop, drop, applyThenAnswer("ERR odd"))
	for i, want := range []struct {
		fails bool
		value string
	}{{false, "0"}, {true, "0"}, {true, "2"}, {true, "2"}, {true, "4"}, {false, "5"}} {
		n := string(rune('0' + i))
		err := client.Do(t.Context(), client.B().Set().Key("k").Value(n).Build()).Error()
		assert.Equal(t, want.fails, err != nil, "%d: %v", i, err)
		got, err := s.Get("k")
		require.NoError(t, err)
		assert.Equal(t, want.value, got, i)
	}
}

package redisbackend_test

import (
	"io"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

func TestNew_Errors(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{})
	defer func() { require.NoError(t, client.Close()) }()
	for name, nothing := range map[string]redis.UniversalClient{
		"nil": nil, "a nil client": (*redis.Client)(nil), "a nil cluster": (*redis.ClusterClient)(nil), "a nil ring": (*redis.Ring)(nil),
	} {
		b, err := redisbackend.New(nothing)
		assert.Nil(t, b, name)
		require.ErrorIs(t, err, redisbackend.ErrNilClient, name)
	}
	b, err := redisbackend.New(client, redisbackend.WithWriteRetries(-1), redisbackend.WithKeyPrefix(strings.Repeat("p", 1025)))
	assert.Nil(t, b)
	require.ErrorIs(t, err, redisbackend.ErrBadOption)
	require.EqualError(t, err, "redisbackend: bad option: the number of retries is -1: it must not be negative\n"+
		"redisbackend: bad option: the key prefix has 1025 bytes: use at most 1024")

	b, err = redisbackend.New(client, nil, redisbackend.WithClock(nil), redisbackend.WithoutKeyPrefix())
	require.NoError(t, err)
	assert.NotNil(t, b)
}

func TestNew_ClientCache(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]*redis.Options{
		"by its configuration": {ClientSideCacheConfig: &redis.ClientSideCacheConfig{}},
		"injected":             {ClientSideCache: redis.NewLocalCache(redis.ClientSideCacheConfig{})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redis.NewClient(options)
			defer func() { require.NoError(t, client.Close()) }()
			b, err := redisbackend.New(client)
			assert.Nil(t, b)
			require.ErrorIs(t, err, redisbackend.ErrClientCache)
		})
	}
}

// A client that neither heeds contexts nor has timeouts could hang for ever.
func TestNew_EndlessCalls(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read, write time.Duration
		contexts    bool
		endless     bool
	}{
		"defaults":                  {},
		"timeouts":                  {read: time.Second, write: time.Second},
		"no read timeout":           {read: -1, write: time.Second, endless: true},
		"no write timeout":          {write: -1, endless: true},
		"no timeouts, but contexts": {read: -1, write: -1, contexts: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, client := range map[string]redis.UniversalClient{
				"client": redis.NewClient(&redis.Options{
					ReadTimeout: test.read, WriteTimeout: test.write, ContextTimeoutEnabled: test.contexts,
				}),
				"cluster": redis.NewClusterClient(&redis.ClusterOptions{
					ReadTimeout: test.read, WriteTimeout: test.write, ContextTimeoutEnabled: test.contexts,
				}),
				"ring": redis.NewRing(&redis.RingOptions{
					ReadTimeout: test.read, WriteTimeout: test.write, ContextTimeoutEnabled: test.contexts,
				}),
			} {
				_, err := redisbackend.New(client, redisbackend.WithoutKeyPrefix())
				require.NoError(t, client.Close())
				if test.endless {
					assert.ErrorIs(t, err, redisbackend.ErrEndlessCalls, kind)
				} else {
					assert.NoError(t, err, kind)
				}
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		client redis.UniversalClient
		want   backends.Description
	}{
		"server": {
			redis.NewClient(&redis.Options{Addr: "redis.example:6380"}),
			backends.Description{System: "redis", ServerAddress: "redis.example", ServerPort: 6380},
		},
		"by default": {
			redis.NewClient(&redis.Options{}),
			backends.Description{System: "redis", ServerAddress: "localhost", ServerPort: 6379},
		},
		"IPv6": {
			redis.NewClient(&redis.Options{Addr: "[::1]:6379"}),
			backends.Description{System: "redis", ServerAddress: "::1", ServerPort: 6379},
		},
		"socket": {
			redis.NewClient(&redis.Options{Network: "unix", Addr: "/run/redis:1"}),
			backends.Description{System: "redis", ServerAddress: "/run/redis:1"},
		},
		"an address of another kind": {
			redis.NewClient(&redis.Options{Addr: "by-the-dialer"}),
			backends.Description{System: "redis", ServerAddress: "by-the-dialer"},
		},
		"sentinels": {
			redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"s:1"}}),
			backends.Description{System: "redis"},
		},
		"cluster": {
			redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"a:1", "b:2"}}),
			backends.Description{System: "redis"},
		},
		"cluster with one address": {
			redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"config.example:6379"}}),
			backends.Description{System: "redis", ServerAddress: "config.example", ServerPort: 6379},
		},
		"ring": {
			redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "a:1"}}),
			backends.Description{System: "redis"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() { _ = test.client.Close() }()
			test.want.GetOperation, test.want.SetOperation, test.want.DeleteOperation = "GET", "SET", "DEL"
			test.want.Abilities.Batches = true
			assert.Equal(t, test.want, newBackend(t, test.client).Describe())
			test.want.Instrumented = true
			assert.Equal(t, test.want, newBackend(t, test.client, redisbackend.WithInstrumentedClient()).Describe())
		})
	}
}

// zeroedString is of memory that nobody touches, so that it costs none.
func zeroedString(size int) string { return unsafe.String(&make([]byte, size)[0], size) }

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		key       string
		value     []byte
		opts      []redisbackend.Option
		errorType string
		text      string
	}{
		"an empty key": {errorType: "empty_key", text: "backends: the key is empty: pass a key of at least one byte"},
		"an empty key with a prefix": {
			opts:      []redisbackend.Option{redisbackend.WithKeyPrefix("p:")},
			errorType: "empty_key", text: "backends: the key is empty: pass a key of at least one byte",
		},
		"too long a key": {
			key: zeroedString(redisbackend.MaxKeySize + 1), errorType: "too_large",
			text: "backends: the key has 536870913 bytes, and the store takes 536870912: use a shorter one, for instance a hash of it",
		},
		"too long a key, with its prefix": {
			key: zeroedString(redisbackend.MaxKeySize), errorType: "too_large",
			opts: []redisbackend.Option{redisbackend.WithKeyPrefix("p")},
			text: "backends: the key has 536870913 bytes, and the store takes 536870912: use a shorter one, for instance a hash of it",
		},
		"too long a value": {
			key: "k", value: make([]byte, redisbackend.MaxValueSize-redisbackend.HeaderSize+1), errorType: "too_large",
			text: "backends: the value has 536870877 bytes, and the store takes 536870876: do not cache it, or split it",
		},
		"too long a raw value": {
			key: "k", value: make([]byte, redisbackend.MaxValueSize+1), errorType: "too_large",
			opts: []redisbackend.Option{redisbackend.WithRawValues()},
			text: "backends: the value has 536870913 bytes, and the store takes 536870912: do not cache it, or split it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := s.backend(t, test.opts...)
			entry := backends.Entry[[]byte]{Value: test.value}
			set, err := b.Stage(t.Context(), test.key, entry)
			assert.Nil(t, set)
			for _, err := range []error{err, b.Set(t.Context(), test.key, entry)} {
				require.EqualError(t, err, test.text)
				assert.True(t, backends.CertainlyNotApplied(err))
				assert.Equal(t, test.errorType, errorType(t, err))
			}
			if test.value == nil {
				requireMiss(t, b, test.key)
				require.NoError(t, b.Delete(t.Context(), test.key))
			}
			assert.Empty(t, s.commands(), "the server was asked")
		})
	}
	s := newServer(t)
	_, err := s.backend(t, redisbackend.WithRawValues()).Stage(t.Context(), "k", backends.Entry[[]byte]{Value: make([]byte, redisbackend.MaxValueSize)})
	require.NoError(t, err)
}

// The code of an error reply is shown only if the package knows it.
func TestResponseStatusCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"OOM command not allowed": "OOM", "ERR user 42 is odd": "ERR", "SECRET of user 42": "",
	} {
		err := &redisbackend.Error{Op: "set", Err: reply(text)}
		assert.Equal(t, want, err.ResponseStatusCode())
	}
	assert.Empty(t, (&redisbackend.Error{Op: "set", Err: io.EOF}).ResponseStatusCode())
}

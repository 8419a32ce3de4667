package redisbackend_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// A client without a prefix is refused, unless an option asks for that.
func TestNew_KeyPrefix(t *testing.T) {
	t.Parallel()
	prefix, none := redisbackend.WithKeyPrefix, redisbackend.WithoutKeyPrefix
	for name, test := range map[string]struct {
		opts []redisbackend.Option
		is   error
		text string
	}{
		"a prefix":        {opts: []redisbackend.Option{prefix("users:")}},
		"the last prefix": {opts: []redisbackend.Option{prefix(""), prefix("users:")}},
		"none, knowingly": {opts: []redisbackend.Option{none()}},
		"nothing":         {nil, redisbackend.ErrNoKeyPrefix, "use WithKeyPrefix with a prefix for each type, or WithoutKeyPrefix"},
		"only others": {
			[]redisbackend.Option{redisbackend.WithRawValues(), nil}, redisbackend.ErrNoKeyPrefix, "no key prefix is given",
		},
		"an empty one": {
			[]redisbackend.Option{prefix("")}, redisbackend.ErrBadOption, "the key prefix is empty: give one, or use WithoutKeyPrefix",
		},
		"both": {
			[]redisbackend.Option{prefix("users:"), none()},
			redisbackend.ErrBadOption,
			"both WithKeyPrefix and WithoutKeyPrefix are used: choose one of them",
		},
		"both, turned round": {
			[]redisbackend.Option{none(), prefix("users:")},
			redisbackend.ErrBadOption,
			"both WithKeyPrefix and WithoutKeyPrefix are used: choose one of them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := redis.NewClient(&redis.Options{})
			t.Cleanup(func() { _ = client.Close() })
			b, err := redisbackend.New(client, test.opts...)
			require.ErrorIs(t, err, test.is)
			if test.is == nil {
				assert.NotNil(t, b)
				return
			}
			assert.Nil(t, b)
			require.ErrorContains(t, err, test.text)
		})
	}
}

// The purpose of prefixes: without them a codec takes one type for another, without an
// error.
func TestKeyPrefix_KeepsTypesApart(t *testing.T) {
	t.Parallel()
	type user struct{ Name string }
	type order struct{ Total int }
	typed := func(t *testing.T, s *server, users, orders redisbackend.Option) backends.Backend[order] {
		t.Helper()
		u, err := backends.WithCodec(s.backend(t, users), backends.JSON[user]())
		require.NoError(t, err)
		o, err := backends.WithCodec(s.backend(t, orders), backends.JSON[order]())
		require.NoError(t, err)
		require.NoError(t, u.Set(t.Context(), "1", backends.Entry[user]{Value: user{"Ada"}}))
		return o
	}
	orders := typed(t, newServer(t), redisbackend.WithKeyPrefix("user:"), redisbackend.WithKeyPrefix("order:"))
	_, ok, err := orders.Get(t.Context(), "1")
	require.NoError(t, err)
	assert.False(t, ok, "a user was read as an order")

	orders = typed(t, newServer(t), redisbackend.WithoutKeyPrefix(), redisbackend.WithoutKeyPrefix())
	got, ok, err := orders.Get(t.Context(), "1")
	require.NoError(t, err)
	assert.True(t, ok, "the doc of WithKeyPrefix says otherwise")
	assert.Zero(t, got.Value)
}

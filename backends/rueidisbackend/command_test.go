package rueidisbackend_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/internal/header"
)

// Running servers have this format, which is that of redisbackend.
func TestStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t, rueidisbackend.WithKeyPrefix("shop:"))
		entry := expiring("w", time.Hour)
		require.NoError(t, b.Set(t.Context(), "k", entry))
		stored, err := s.Get("shop:k")
		require.NoError(t, err)
		h := header.Header{ExpiresAt: entry.ExpiresAt.UnixNano()}
		assert.Equal(t, string(h.Encode([]byte("w"))), stored)
		assert.Equal(t, time.Hour, s.TTL("shop:k"))

		// As the first releases of redisbackend wrote it.
		require.NoError(t, s.Set("shop:first", "\xC1\x00"+strings.Repeat("\x00", 20)+"v"))
		requireHit(t, b, "first", value("v"))

		require.NoError(t, s.Set("shop:foreign", "v"))
		_, _, err = b.Get(t.Context(), "foreign")
		var damaged *backends.DamagedError
		require.ErrorAs(t, err, &damaged)
	})
}

// Each call is one command, and a batch is few.
func TestCommands(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(t *testing.T, b *rueidisbackend.Backend)
		opts []rueidisbackend.Option
		want []string
	}{
		"set": {func(t *testing.T, b *rueidisbackend.Backend) {
			t.Helper()
			require.NoError(t, b.Set(t.Context(), "k", value("v")))
			require.NoError(t, b.Set(t.Context(), "k", expiring("v", time.Millisecond+time.Nanosecond)))
			require.NoError(t, b.Set(t.Context(), "k", expiring("v", -time.Second)))
			require.NoError(t, b.Set(t.Context(), "k", expiring("v", 0)))
		}, []rueidisbackend.Option{rueidisbackend.WithRawValues()}, []string{"SET k v", "SET k v PX 2", "DEL k", "DEL k"}},
		"no call": {func(t *testing.T, b *rueidisbackend.Backend) {
			t.Helper()
			require.NoError(t, b.Delete(t.Context(), ""))
			_, _, err := b.Get(t.Context(), "")
			require.NoError(t, err)
			require.ErrorIs(t, b.Set(t.Context(), "", value("v")), backends.ErrEmptyKey)
			b.GetMany(t.Context(), nil, nil)
			b.WriteMany(t.Context(), nil, nil)
		}, nil, nil},
		"get": {func(t *testing.T, b *rueidisbackend.Backend) {
			t.Helper()
			got := make([]backends.Got[[]byte], 3)
			b.GetMany(t.Context(), []string{"a", "b", "c"}, got)
			b.GetMany(t.Context(), []string{"a"}, got[:1])
			_, _, err := b.Get(t.Context(), "a")
			require.NoError(t, err)
		}, nil, []string{"MGET a b c", "GET a", "GET a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				b := s.backend(t, test.opts...)
				before := len(s.commands())
				test.do(t, b)
				assert.Equal(t, test.want, append([]string(nil), s.commands()[before:]...))
			})
		})
	}
}

package redisbackend_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// A hook that repeats commands hides the outcome of the first.
func TestHookThatRepeats(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				require.NoError(t, s.Set(secret, "old"))
				client := s.client(t, nil)
				client.AddHook(hook(func(_ redis.Cmder, send func() error) error {
					if send() == nil {
						return nil
					}
					return send()
				}))
				s.next(applyThenDrop, answer("OOM no"))
				err := w.write(t.Context(), newBackend(t, client))
				require.Error(t, err)
				assert.False(t, backends.CertainlyNotApplied(err))
				assert.True(t, w.applied(s))
			})
		})
	}
}

// A write with an error that says "not applied" must not be applied later.
func TestHookThatIsLate(t *testing.T) {
	t.Parallel()
	for call, w := range writes {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				require.NoError(t, s.Set(secret, "old"))
				client := s.client(t, nil)
				var late func() error
				client.AddHook(hook(func(_ redis.Cmder, send func() error) error {
					late = send
					return fmt.Errorf("queued")
				}))
				err := w.write(t.Context(), newBackend(t, client))
				require.Error(t, err)
				require.True(t, backends.CertainlyNotApplied(err))
				require.ErrorIs(t, late(), redisbackend.ErrWithdrawn)
				assert.False(t, w.applied(s))
			})
		})
	}
}

// Hooks see commands like the client's own.
func TestHookSeesCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := s.client(t, nil)
		var seen []string
		client.AddHook(hook(func(cmd redis.Cmder, send func() error) error {
			err := send()
			seen = append(seen, cmd.Name(), cmd.FullName(), fmt.Sprint(cmd.Args()), cmd.String())
			return err
		}))
		b := newBackend(t, client, redisbackend.WithRawValues())
		require.NoError(t, b.Set(t.Context(), "k", value("v")))
		require.NoError(t, b.Delete(t.Context(), "k"))
		assert.Equal(t, []string{
			"set", "set", "[set k [118]]", "set k v: OK",
			"del", "del", "[del k]", "del k: 1",
		}, seen)
	})
}

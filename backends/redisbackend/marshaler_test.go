package redisbackend_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked is a first argument that counts how often it is asked for its bytes.
type asked struct {
	times int
	err   error
}

func (a *asked) MarshalBinary() ([]byte, error) {
	a.times++
	return []byte("set"), a.err
}

// The backend relies on behaviour that go-redis does not document: it asks an argument
// for its bytes when it writes the command to a connection, once each time, and at no
// other time.
func TestGoRedisAsksWhenItWrites(t *testing.T) {
	t.Parallel()
	errKept, errUnwilling := errors.New("kept"), errors.New("unwilling")
	for name, test := range map[string]struct {
		prepare func(t *testing.T, s *server, client *redis.Client)
		err     error // of the argument
		times   int
		sent    int
	}{
		"a SET": {times: 1, sent: 1},
		"a SET that is repeated": {
			func(_ *testing.T, s *server, _ *redis.Client) { s.next(answer("LOADING no"), answer("LOADING no")) }, nil, 3, 3,
		},
		"a connection that is refused": {
			func(_ *testing.T, s *server, _ *redis.Client) { s.nextDials(refuseAll...) }, nil, 0, 0,
		},
		"a closed client": {
			func(t *testing.T, _ *server, client *redis.Client) { t.Helper(); require.NoError(t, client.Close()) }, nil, 0, 0,
		},
		"a hook that keeps it": {
			func(_ *testing.T, _ *server, client *redis.Client) {
				client.AddHook(hook(func(redis.Cmder, func() error) error { return errKept }))
			}, nil, 0, 0,
		},
		"a hook that looks at it": {
			func(_ *testing.T, _ *server, client *redis.Client) {
				client.AddHook(hook(func(cmd redis.Cmder, send func() error) error {
					_, _, _ = cmd.Name(), cmd.Args(), cmd.String()
					return send()
				}))
			}, nil, 1, 1,
		},
		"an argument that refuses": {nil, errUnwilling, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				client := s.client(t, func(o *redis.Options) { o.MaxRetries = 3 })
				require.NoError(t, client.Ping(t.Context()).Err())
				if name == "a connection that is refused" {
					client = s.client(t, nil) // that has no connection yet
				}
				if test.prepare != nil {
					test.prepare(t, s, client)
				}
				before := len(s.commands())
				first := &asked{err: test.err}
				cmd := &unnamed{redis.NewStatusCmd(t.Context(), first, "k", "v")}
				assert.Zero(t, first.times, "when the command was made")
				err := client.Process(t.Context(), cmd)
				assert.Equal(t, test.sent > 0, err == nil, err)
				if test.err == nil { // one that refuses may be asked again
					assert.Equal(t, test.times, first.times)
				} else {
					assert.GreaterOrEqual(t, first.times, test.times)
				}
				assert.Len(t, s.commands()[before:], test.sent)
			})
		})
	}
}

// The same holds for the client of a cluster, also when it follows the key.
func TestGoRedisAsksWhenItWrites_Cluster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two, client := newCluster(t)
		first := &asked{}
		one.next(answer("MOVED 1 two:2"))
		require.NoError(t, client.Process(t.Context(), &unnamed{redis.NewStatusCmd(t.Context(), first, "k", "v")}))
		assert.Equal(t, 2, first.times)
		assert.Len(t, setsOf(one, two), 2)
	})
}

// unnamed gives the name that go-redis would ask the first argument for.
type unnamed struct{ redis.Cmder }

func (unnamed) Name() string     { return "set" }
func (unnamed) FullName() string { return "set" }

// setsOf returns the SETs that two servers have seen.
func setsOf(servers ...*server) (seen []string) {
	for _, s := range servers {
		for _, command := range s.commands() {
			if command == "set k v" {
				seen = append(seen, command)
			}
		}
	}
	return seen
}

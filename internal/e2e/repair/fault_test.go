package repair

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/writepolicy"
)

// shared is some instances over one server, and what happens to them.
type shared struct {
	t         *testing.T
	server    *server.Redis
	instances []*instance
}

// fault is something that goes wrong, until the function returned ends it.
type fault struct {
	server []string // arguments
	begin  func(s *shared) (end func())
}

// durable makes a server keep what it has answered, even when it is killed: it is in the
// system's hands before the answer.
var durable = []string{"--appendonly", "yes", "--appendfsync", "no"}

// isScript tells the commands of writes and reads from those of the connection.
func isScript(sent []byte) bool {
	return bytes.HasPrefix(sent, []byte("*")) && bytes.Contains(sent[:min(len(sent), 32)], []byte("evalsha"))
}

// meet lets the fate decide on a part of the commands.
func meet(part float64, fate network.Fate) func(s *shared) func() {
	return func(s *shared) func() {
		for _, i := range s.instances {
			i.network.Meet(func(sent []byte) network.Fate {
				if isScript(sent) && rand.Float64() < part {
					return fate
				}
				return network.Pass
			})
		}
		return func() {
			for _, i := range s.instances {
				i.network.Meet(nil)
				i.network.LetGo()
			}
		}
	}
}

func hold(d network.Direction) func(s *shared) func() {
	return func(s *shared) func() {
		for _, i := range s.instances {
			i.network.Hold(d)
		}
		return func() {
			for _, i := range s.instances {
				i.network.Release(d)
			}
		}
	}
}

// kill lets the server stand still first, so that there are commands which it does not
// answer.
func kill(s *shared) func() {
	require.NoError(s.t, s.server.Pause())
	pause(s.t.Context(), callLimit/2)
	s.server.Kill()
	return func() { require.NoError(s.t, s.server.Restart(s.t.Context())) }
}

var faults = map[string]fault{
	"the server stands still": {begin: func(s *shared) func() {
		require.NoError(s.t, s.server.Pause())
		return func() { require.NoError(s.t, s.server.Continue()) }
	}},
	"resets before the command": {begin: meet(0.5, network.ResetBefore)},
	"resets after the command":  {begin: meet(0.5, network.ResetAfter)},
	"commands are lost":         {begin: meet(0.3, network.Lose)},
	"answers are lost":          {begin: meet(0.3, network.LoseAnswer)},
	"commands come late":        {begin: meet(0.3, network.Keep)},
	"nothing arrives":           {begin: hold(network.Up)},
	"nothing comes back":        {begin: hold(network.Down)},
	"cut": {begin: func(s *shared) func() {
		for _, i := range s.instances {
			i.network.CutOff()
		}
		return func() {
			for _, i := range s.instances {
				i.network.Mend()
			}
		}
	}},
	"killed, with all on disk":     {server: durable, begin: kill},
	"killed, with nothing on disk": {begin: kill},
}

// policies are those of the instances.
func policies() []tiercache.Option {
	return []tiercache.Option{
		tiercache.WithWritePolicy(writepolicy.Sequential()),
		tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First)),
		tiercache.WithWritePolicy(writepolicy.Parallel()),
	}
}

// goOn writes some keys, after a server has lost all.
func (s *shared) goOn() {
	for k := range keys / 4 {
		require.NoError(s.t, s.instances[0].Set(s.t.Context(), keyName(k), "at the end", 0))
	}
}

const (
	before  = 200 // operations, before a fault
	during  = time.Second
	restful = 10 * time.Millisecond // between two operations of a user
)

// Users stop while something is wrong. When it is not any more, every unknown outcome
// becomes known soon, the tiers are equal, and the books were in balance all the time.
func TestFaults(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shared{t: t, server: startServer(t, f.server...)}
			for _, p := range policies() {
				s.instances = append(s.instances, newInstance(t, s.server, nil, p))
			}
			books := scrape(t, s.instances...)
			users := newTraffic(t, seed, restful, s.instances...)
			users.await(t, before)
			end := f.begin(s)
			pause(t.Context(), during)
			stopped := users.stop()
			end()
			awaitQuiet(t, stopped, time.Now(), s.instances...)
			books.check(t)
			report(t, "%d outcomes were unknown, and %d writes failed otherwise", users.unknown.Load(), users.failed.Load())
			if name == "cut" { // between two commands
				assert.Positive(t, users.failed.Load())
			} else {
				assert.Positive(t, users.unknown.Load())
			}
			s.goOn()
			compareTiers(t, newL2(t, redis.NewClient(clientOptions(s.server.Addr))), never, s.instances...)
		})
	}
}

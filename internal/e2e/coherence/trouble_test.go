package coherence

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// trouble is something that goes wrong, and is repaired before it returns.
type trouble struct {
	name string
	make func(r *run)
}

// networkTroubles are those of one instance's way to the server.
func networkTroubles() []trouble {
	held := func(direction network.Direction) func(r *run) {
		return func(r *run) {
			n := r.oneNetwork()
			n.Hold(direction)
			r.wait(r.moment())
			n.Release(direction)
		}
	}
	return []trouble{
		{"a connection is cut", func(r *run) {
			n := r.oneNetwork()
			n.CutOff()
			r.wait(r.moment())
			n.Mend()
		}},
		{"all connections are cut", func(r *run) {
			for _, n := range r.networks {
				n.CutOff()
			}
			r.wait(r.moment())
			for _, n := range r.networks {
				n.Mend()
			}
		}},
		{"answers are held back", held(network.Down)},
		{"commands are held back", held(network.Up)},
		{"a half-open connection is cut", func(r *run) {
			n := r.oneNetwork()
			n.Hold(network.Down)
			r.wait(r.moment())
			n.CutOff()
			n.Release(network.Down)
			n.Mend()
		}},
		{"a cut, and the log is trimmed", func(r *run) {
			n := r.oneNetwork()
			n.CutOff()
			r.wait(r.moment())
			r.trim()
			n.Mend()
		}},
	}
}

// serverTroubles are those of the server.
func serverTroubles() []trouble {
	return []trouble{
		{"the server stands still", func(r *run) {
			r.ok(r.server.Pause())
			r.wait(r.moment())
			r.ok(r.server.Continue())
		}},
		{"flushed", func(r *run) { r.ok(r.server.Admin.FlushAll(r.ctx).Err()) }},
		{"trimmed", (*run).trim},
		{"log deleted", func(r *run) { r.ok(r.server.Admin.Del(r.ctx, logKey).Err()) }},
		{"clients killed", func(r *run) {
			r.ok(r.server.Admin.Do(r.ctx, "client", "kill", "type", "normal", "skipme", "yes").Err())
		}},
		{"the server is killed", func(r *run) {
			r.server.Kill()
			r.wait(r.moment())
			r.ok(r.server.Restart(r.ctx))
			r.promote(r.server)
		}},
		{"the server loses all", func(r *run) {
			r.ok(r.server.RestartEmpty(r.ctx))
			r.promote(r.server)
		}},
		{"a replica takes over that lags", (*run).failOver},
	}
}

// processTroubles are those of one process.
func processTroubles() []trouble {
	return []trouble{
		{"a process stands still", func(r *run) {
			p := r.processes[r.rng.IntN(len(r.processes))]
			r.ok(p.Pause())
			r.wait(r.moment())
			r.ok(p.Continue())
		}},
		{"a process is killed", func(r *run) {
			i := r.rng.IntN(len(r.processes))
			r.processes[i].Kill()
			r.startProcess(i)
		}},
	}
}

// logKey is that of the only partition.
const logKey = "v2:{0/1}log"

func (r *run) trim() { r.ok(r.server.Admin.XTrimMaxLen(r.ctx, logKey, int64(r.rng.IntN(3))).Err()) }

func (r *run) oneNetwork() *network.Network { return r.networks[r.rng.IntN(len(r.networks))] }

// failOver promotes a replica of which the instances are not told at first: they go on to
// write to the old server. These writes are lost, and their ids in the log are used again.
func (r *run) failOver() {
	replica := r.startReplica()
	lost := span{from: r.clock.now() - int64(lag)}
	r.promote(replica)
	r.wait(r.moment())
	r.server.Stop()
	lost.to = r.clock.now() + int64(lag) // somebody may still have to note an acknowledgment
	r.lost = append(r.lost, lost)
	r.server = replica
	for i, n := range r.networks {
		if i == len(r.networks)/2 { // these find it later than others write to it
			r.wait(r.moment())
		}
		n.Redirect(r.server.Addr)
	}
}

// lag is how far a replica, or a process that is busy, may be behind.
const lag = 500 * time.Millisecond

// startReplica returns a replica of the server that would find its data again if it was
// restarted.
func (r *run) startReplica() *server.Redis {
	r.t.Helper()
	replica, err := server.StartReplica(r.ctx, r.server, durable...)
	r.ok(err)
	r.await("the replica has its data on disk", func() bool {
		info, err := replica.Admin.Info(r.ctx, "persistence").Result()
		return err == nil && server.InfoField(info, "aof_rewrite_in_progress") == "0" &&
			server.InfoField(info, "aof_rewrite_scheduled") == "0"
	})
	return replica
}

// promote makes a replica a master. One that has taken over is a replica again when it is
// restarted.
func (r *run) promote(s *server.Redis) {
	r.t.Helper()
	r.ok(s.Admin.ReplicaOf(r.ctx, "no", "one").Err())
}

func (r *run) ok(err error) {
	r.t.Helper()
	require.NoError(r.t, err)
}

package coherence

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

const masterName = "shop"

// takeover is a deployment in which a replica takes over.
type takeover struct {
	master, replica *server.Redis
}

func newSentinels(r *run) takeover {
	r.t.Helper()
	var d takeover
	var err error
	d.master, err = server.StartRedis(r.ctx)
	r.ok(err)
	r.t.Cleanup(d.master.Stop)
	d.replica, err = server.StartReplica(r.ctx, d.master)
	r.ok(err)
	r.t.Cleanup(d.replica.Stop)
	sentinel, err := server.StartSentinel(r.ctx, masterName, d.master, time.Second)
	r.ok(err)
	r.t.Cleanup(sentinel.Stop)
	r.await("the sentinel knows the replica", func() bool {
		replicas, err := sentinel.Admin.Do(r.ctx, "sentinel", "replicas", masterName).Slice()
		return err == nil && len(replicas) > 0
	})
	for i := range r.setups {
		r.setups[i].Addrs, r.setups[i].Sentinel = []string{sentinel.Addr}, masterName
	}
	return d
}

func newCluster(r *run) takeover {
	r.t.Helper()
	c, err := server.StartCluster(r.ctx, true)
	r.ok(err)
	r.t.Cleanup(c.Stop)
	for i := range r.setups {
		r.setups[i].Addrs, r.setups[i].Cluster = c.Addrs(), true
	}
	i, err := c.MasterOf(r.ctx, "v2:{0/16}log")
	r.ok(err)
	return takeover{c.Masters[i], c.Replicas[i]}
}

// kill lets the master die. The last writes that it has acknowledged may be lost.
func kill(r *run, d takeover) {
	r.lost = append(r.lost, span{from: r.clock.now() - int64(lag)})
	d.master.Kill()
}

// ask lets the cluster hand over without a loss.
func ask(r *run, d takeover) { r.ok(d.replica.Admin.ClusterFailover(r.ctx).Err()) }

// A replica takes over, in the ways in which clients find it by themselves. No hit is
// older than the bound, and hits are trusted again.
func TestFailover(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deploy func(r *run) takeover
		strike func(r *run, d takeover)
	}{
		"sentinel, killed":  {newSentinels, kill},
		"cluster, killed":   {newCluster, kill},
		"cluster, asked to": {newCluster, ask},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRun(t, 30*time.Second)
			r.setups = r.setups[:4]
			d := test.deploy(r)
			r.startProcesses()
			r.wait(2 * bound)
			r.inTrouble(func() {
				test.strike(r, d)
				r.await("the replica has taken over", func() bool { return isMaster(r.ctx, d.replica) })
				for i := range r.lost {
					r.lost[i].to = r.clock.now()
				}
				r.wait(3 * bound) // until clients have found it
			})
			before := r.quietHits()
			r.wait(3 * bound)
			v := r.stop()
			assert.Empty(t, v.violations)
			assert.Greater(t, v.counts.quiet[hit], before, "hits are trusted again")
			assert.GreaterOrEqual(t, v.trusted(), leastTrusted)
		})
	}
}

func isMaster(ctx context.Context, r *server.Redis) bool {
	info, err := r.Admin.Info(ctx, "replication").Result()
	return err == nil && server.InfoField(info, "role") == "master"
}

// quietHits returns how many hits there have been outside faults.
func (r *run) quietHits() (n int64) {
	for i := range r.board.counts {
		n += r.board.counts[i].quiet[hit]
	}
	return n
}

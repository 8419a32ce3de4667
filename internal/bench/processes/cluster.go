package processes

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// place is where the servers are that an instance connects to.
type place struct {
	addrs []string // one, or those of the nodes of a cluster
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (p place) cluster() bool { return len(p.addrs) > 1 }

// newClusterFixture is newFixture over a cluster with replicas. Each instance has a proxy
// for each node.
func newClusterFixture(ctx context.Context, lib Library) (f *fixture, err error) {
	f = &fixture{}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.cluster, err = server.StartCluster(ctx, true); err != nil {
		return f, err
	}
	f.cleanups = append(f.cleanups, f.cluster.Stop)
	f.server = f.cluster.Masters[0]
	if f.a, _, err = f.openCluster(ctx, lib); err != nil {
		return f, err
	}
	f.b, f.nodesB, err = f.openCluster(ctx, lib)
	return f, err
}

// openCluster makes an instance behind proxies.
func (f *fixture) openCluster(ctx context.Context, lib Library) (*instance, []*proxy, error) {
	var proxies []*proxy
	behind := make(map[string]string) // addresses of proxies, by those of nodes
	for _, addr := range f.cluster.Addrs() {
		p, err := f.proxyTo(ctx, addr)
		if err != nil {
			return nil, nil, err
		}
		proxies, behind[addr] = append(proxies, p), p.addr()
	}
	at := place{addrs: f.cluster.Addrs(), dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, behind[addr])
	}}
	i, err := f.start(ctx, lib, at)
	return i, proxies, err
}

// clusterHalfOpen is halfOpen for the connections to all nodes.
func clusterHalfOpen(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if err := f.share(ctx, old); err != nil {
		return Cell{}, err
	}
	for _, p := range f.nodesB {
		p.freeze()
	}
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window), nil
}

// clusterFailover has the cluster replace the primary of the key by a replica that lacks
// the last write: it was stopped, and its connection closed, before that.
func clusterFailover(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if _, err := acknowledged(ctx, f.set(old)); err != nil {
		return Cell{}, err
	}
	i, err := f.owner(ctx)
	if err != nil {
		return Cell{}, err
	}
	primary, replica := f.cluster.Masters[i], f.cluster.Replicas[i]
	if err := until(ctx, func() bool { return hasKey(ctx, replica) }); err != nil {
		return Cell{}, fmt.Errorf("the replica is not in step: %w", err)
	}
	if err := replica.Pause(); err != nil {
		return Cell{}, err
	}
	goOn := sync.OnceValue(replica.Continue)
	defer func() { _ = goOn() }()
	if err := primary.Admin.ClientKillByFilter(ctx, "TYPE", "replica").Err(); err != nil {
		return Cell{}, err
	}
	if err := f.share(ctx, lost); err != nil {
		return Cell{}, err
	}
	primary.Kill()
	if err := goOn(); err != nil {
		return Cell{}, err
	}
	if err := until(ctx, func() bool { return isPrimary(ctx, replica) }); err != nil {
		return Cell{}, fmt.Errorf("the replica does not take over: %w", err)
	}
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window), nil
}

// owner returns the number of the primary that has the key, under whatever prefix.
func (f *fixture) owner(ctx context.Context) (int, error) {
	for i, r := range f.cluster.Masters {
		if hasKey(ctx, r) {
			return i, nil
		}
	}
	return 0, errPatience
}

func hasKey(ctx context.Context, r *server.Redis) bool {
	keys, err := r.Admin.Keys(ctx, "*"+key).Result()
	return err == nil && len(keys) > 0
}

func isPrimary(ctx context.Context, r *server.Redis) bool {
	info, err := r.Admin.Info(ctx, "replication").Result()
	return err == nil && server.InfoField(info, "role") == "master"
}

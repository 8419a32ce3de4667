package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clusterMasters is how many masters a cluster has: with fewer than three, none of
// them could be replaced.
const clusterMasters = 3

// clusterSlots is how many slots the keys of any cluster are spread over.
const clusterSlots = 16384

// ClusterNodeTimeout is after how long the nodes of a cluster think that another
// one has failed.
const ClusterNodeTimeout = 1500 * time.Millisecond

// Cluster is a Redis cluster of three masters. Its methods may not be called
// concurrently.
type Cluster struct {
	Masters  []*Redis
	Replicas []*Redis // one of each master, in the same order, or none
}

// StartCluster runs a cluster and waits until all nodes agree that it works; with
// replicas, until these are in step. Options are those of all nodes.
func StartCluster(ctx context.Context, replicas bool, args ...string) (*Cluster, error) {
	n := clusterMasters
	if replicas {
		n *= 2
	}
	nodes, err := startNodes(ctx, n, args)
	for attempt := 1; err != nil && attempt < startAttempts && portTaken(err); attempt++ {
		nodes, err = startNodes(ctx, n, args)
	}
	if err != nil {
		return nil, err
	}
	c := &Cluster{Masters: nodes[:clusterMasters], Replicas: nodes[clusterMasters:]}
	if err := c.form(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func startNodes(ctx context.Context, n int, args []string) (nodes []*Redis, err error) {
	ports, err := FreePorts(ctx, 2*n) // each has a second one for the other nodes
	if err != nil {
		return nil, err
	}
	started, errs := make([]*Redis, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			started[i], errs[i] = startRedis(ctx, ports[i], slices.Concat(ephemeral(), []string{
				"--cluster-enabled", "yes",
				"--cluster-port", strconv.Itoa(ports[n+i]),
				"--cluster-node-timeout", strconv.FormatInt(ClusterNodeTimeout.Milliseconds(), 10),
				"--cluster-replica-validity-factor", "0",
			}, args))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, r := range started {
			if r != nil {
				r.Stop()
			}
		}
		return nil, err
	}
	return started, nil
}

// form makes one cluster of nodes that do not know of each other.
func (c *Cluster) form(ctx context.Context) error {
	nodes := c.nodes()
	for i, r := range nodes {
		// Epochs that differ from the start need not be agreed on.
		if err := r.Admin.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
			return fmt.Errorf("server: cluster: %w", err)
		}
		bus, err := r.Admin.ConfigGet(ctx, "cluster-port").Result()
		if err != nil {
			return fmt.Errorf("server: cluster: %w", err)
		}
		if err := nodes[0].Admin.Do(ctx, "cluster", "meet", redisHost, r.Port, bus["cluster-port"]).Err(); err != nil {
			return fmt.Errorf("server: cluster: meet: %w", err)
		}
	}
	for i, r := range c.Masters {
		first, last := i*clusterSlots/len(c.Masters), (i+1)*clusterSlots/len(c.Masters)-1
		if err := r.Admin.ClusterAddSlotsRange(ctx, first, last).Err(); err != nil {
			return fmt.Errorf("server: cluster: slots: %w", err)
		}
	}
	if err := c.await(ctx); err != nil {
		return err
	}
	for i, r := range c.Replicas {
		id, err := c.Masters[i].Admin.ClusterMyID(ctx).Result()
		if err != nil {
			return fmt.Errorf("server: cluster: %w", err)
		}
		if err := r.Admin.ClusterReplicate(ctx, id).Err(); err != nil {
			return fmt.Errorf("server: cluster: replicate: %w", err)
		}
	}
	for _, r := range c.Replicas {
		if err := r.awaitLink(ctx); err != nil {
			return err
		}
	}
	return c.await(ctx)
}

// await waits until every node says that the cluster works, and knows all nodes
// in their roles.
func (c *Cluster) await(ctx context.Context) error {
	replicas := 0
	if len(c.Replicas) > 0 && c.Replicas[0].isReplica(ctx) {
		replicas = len(c.Replicas)
	}
	for _, r := range c.nodes() {
		if err := r.process.await(ctx, func(ctx context.Context) error {
			return r.knows(ctx, len(c.nodes()), replicas)
		}); err != nil {
			return fmt.Errorf("server: cluster: %w", err)
		}
	}
	return nil
}

func (r *Redis) isReplica(ctx context.Context) bool {
	info, err := r.Admin.Info(ctx, "replication").Result()
	return err == nil && InfoField(info, "role") == "slave"
}

func (r *Redis) knows(ctx context.Context, nodes, replicas int) error {
	info, err := r.Admin.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	list, err := r.Admin.ClusterNodes(ctx).Result()
	if err != nil {
		return err
	}
	known, following := 0, 0
	for line := range strings.Lines(list) {
		switch {
		case strings.Contains(line, "handshake"), strings.Contains(line, "noaddr"), strings.Contains(line, "fail"):
		case strings.Contains(line, "slave"):
			known, following = known+1, following+1
		default:
			known++
		}
	}
	if !strings.Contains(info, "cluster_state:ok") || known != nodes || following != replicas {
		return fmt.Errorf("a node knows %d of %d nodes, %d of %d replicas: %s", known, nodes, following, replicas, info)
	}
	return nil
}

func (c *Cluster) nodes() []*Redis {
	return slices.Concat(c.Masters, c.Replicas)
}

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() (addrs []string) {
	for _, r := range c.nodes() {
		addrs = append(addrs, r.Addr)
	}
	return addrs
}

// MasterOf returns the number, in Masters and in Replicas, of the node that had
// the slot of key in the beginning.
func (c *Cluster) MasterOf(ctx context.Context, key string) (i int, err error) {
	slot, err := c.Masters[0].Admin.ClusterKeySlot(ctx, key).Result()
	return int(slot) * len(c.Masters) / clusterSlots, err
}

// Stop ends all nodes.
func (c *Cluster) Stop() {
	for _, r := range c.nodes() {
		r.Stop()
	}
}

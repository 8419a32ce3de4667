package processes

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// The values of the scenarios.
const (
	old   = "old"
	lost  = "lost"
	late  = "late"
	newer = "new"
)

// scenario breaks something, changes the key, and watches a reader.
type scenario struct {
	name    string
	run     func(ctx context.Context, f *fixture, window time.Duration) (Cell, error)
	cluster bool // over a cluster
}

func scenarios() []scenario {
	return []scenario{
		{name: "a message lost while disconnected", run: disconnected},
		{name: "a half-open connection", run: halfOpen},
		{name: "a failover that loses the last write", run: failover},
		{name: "FLUSHALL, then a Set", run: flushed},
		{name: "a late write", run: lateWrite},
		{name: "a refill against a remote Delete", run: refill},
		{name: "a cluster, half-open connections", run: clusterHalfOpen, cluster: true},
		{name: "a cluster, a failover that loses the last write", run: clusterFailover, cluster: true},
	}
}

// away is for how long B is disconnected.
const away = time.Second

func disconnected(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if err := f.share(ctx, old); err != nil {
		return Cell{}, err
	}
	f.netB.cut()
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window, repair{away, f.netB.restore}), nil
}

func halfOpen(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if err := f.share(ctx, old); err != nil {
		return Cell{}, err
	}
	f.netB.freeze()
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window), nil
}

// failover has a replica take over that lacks the last write. So the new primary gives
// the next write the place in the log that the lost one had.
func failover(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	replica, err := server.StartReplica(ctx, f.server)
	if err != nil {
		return Cell{}, err
	}
	f.cleanups = append(f.cleanups, replica.Stop)
	if _, err := acknowledged(ctx, f.set(old)); err != nil {
		return Cell{}, err
	}
	if n, err := f.server.Admin.Wait(ctx, 1, patience).Result(); err != nil || n != 1 {
		return Cell{}, errors.Join(errPatience, err)
	}
	if err := replica.Admin.ReplicaOf(ctx, "NO", "ONE").Err(); err != nil {
		return Cell{}, err
	}
	if err := f.share(ctx, lost); err != nil {
		return Cell{}, err
	}
	f.netA.lead(replica.Addr)
	f.netB.lead(replica.Addr)
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window), nil
}

func flushed(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if err := f.share(ctx, old); err != nil {
		return Cell{}, err
	}
	if err := f.server.Admin.FlushAll(ctx).Err(); err != nil {
		return Cell{}, err
	}
	at, err := acknowledged(ctx, f.set(newer))
	if err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, newer, at, window), nil
}

// lateWrite is one of A that arrives after A has given up on it, and after a write of B.
// Redis then has the value of A, and B must not keep its own.
func lateWrite(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if err := f.share(ctx, old); err != nil {
		return Cell{}, err
	}
	f.netA.holdRequests(key)
	timedOut, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := f.a.set(timedOut, late); err == nil {
		return Cell{}, errors.New("processes: the write that was held back was acknowledged")
	}
	if _, err := acknowledged(ctx, func(ctx context.Context) error { return f.b.set(ctx, newer) }); err != nil {
		return Cell{}, err
	}
	if err := f.await(ctx, f.b, newer); err != nil {
		return Cell{}, err
	}
	before, err := f.writes(ctx)
	if err != nil {
		return Cell{}, err
	}
	f.netA.release()
	if err := until(ctx, func() bool { n, err := f.writes(ctx); return err == nil && n > before }); err != nil {
		return Cell{}, err
	}
	return f.b.watch(ctx, late, time.Now(), window), nil
}

// writes counts the SET commands that the server has executed, those of scripts too.
func (f *fixture) writes(ctx context.Context) (int, error) {
	info, err := f.server.Admin.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(server.InfoField(info, "cmdstat_set"), "calls="), ",")
	return strconv.Atoi(text)
}

// refill is a read of B whose answer is on its way while A deletes the key.
func refill(ctx context.Context, f *fixture, window time.Duration) (Cell, error) {
	if _, err := acknowledged(ctx, f.set(old)); err != nil {
		return Cell{}, err
	}
	f.netB.holdReplies(key)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_, _ = f.b.get(ctx)
	}()
	if err := until(ctx, f.netB.holds); err != nil {
		return Cell{}, err
	}
	at, err := acknowledged(ctx, f.a.remove)
	if err != nil {
		return Cell{}, err
	}
	time.Sleep(timeout / 2) // longer than a message takes, and shorter than the read may
	f.netB.release()
	<-reading
	return f.b.watch(ctx, none, at, window), nil
}

func (f *fixture) set(value string) func(ctx context.Context) error {
	return func(ctx context.Context) error { return f.a.set(ctx, value) }
}

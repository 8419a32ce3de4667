package coherence

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
)

// paces are the times from one write to the next. 0: eight writers, each as fast as it
// can. idle: nobody writes.
const (
	paced = time.Millisecond
	idle  = -1
)

// BenchmarkInstances is the cost of coherence by the number of instances that share a
// server: nothing to do, 1,000 writes a second, and as many as there can be. One of the
// instances writes, and all others have a copy of each key, which they drop. All of them,
// and the server, share this machine.
func BenchmarkInstances(b *testing.B) {
	for _, n := range []int{1, 5, 20} {
		for _, pace := range []struct {
			name string
			rest time.Duration
		}{{"idle", idle}, {"1000", paced}, {"most", 0}} {
			b.Run(fmt.Sprintf("instances=%d/writes=%s", n, pace.name), func(b *testing.B) {
				benchmarkInstances(b, n, pace.rest)
			})
		}
	}
}

func benchmarkInstances(b *testing.B, n int, rest time.Duration) {
	b.Helper()
	f := newFleet(b, n, b.N)
	before, start := f.usage(b), time.Now()
	if rest == idle {
		pause(b.Context(), time.Duration(b.N)*time.Millisecond)
	} else {
		f.write(b, rest)
		f.await(b)
	}
	took := time.Since(start)
	used := f.usage(b).minus(before)
	b.ReportMetric(0, "ns/op")
	seconds, instances := took.Seconds(), float64(n)
	b.ReportMetric(100*used.cpu.Seconds()/seconds, "cpu-%")
	if rest == idle {
		b.ReportMetric(float64(used.commands)/seconds/instances, "commands/s/instance")
		b.ReportMetric(float64(used.sent)/seconds/instances, "B/s/instance")
		return
	}
	writes := float64(b.N)
	b.ReportMetric(writes/f.wrote.Seconds(), "writes/s")
	b.ReportMetric(float64(used.cpu.Microseconds())/writes, "cpu-µs/write")
	b.ReportMetric(float64(used.commands)/seconds/instances, "commands/s/instance")
	b.ReportMetric(float64(used.sent)/writes/instances, "B/write/instance")
	if spread := f.spread(); len(spread) > 0 {
		b.ReportMetric(float64(spread[len(spread)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(spread[len(spread)*99/100].Microseconds())/1000, "p99-ms")
	}
}

// fleet is the instances of a service. The first one writes.
type fleet struct {
	server *redis.Client
	writer *tiercache.Cache[string]
	timers []*dropTimer // of the others
	keys   []string
	begun  []time.Time // of the write of each key
	wrote  time.Duration
}

func newFleet(b *testing.B, n, writes int) *fleet {
	b.Helper()
	s := startServer(b)
	f := &fleet{server: redis.NewClient(&redis.Options{Addr: s.Addr}), keys: names("user", writes), begun: make([]time.Time, writes)}
	b.Cleanup(func() { assert.NoError(b, f.server.Close()) })
	f.writer = newCache(b, client{addr: s.Addr}, newL1(b), coherent())
	all := []*tiercache.Cache[string]{f.writer}
	for range n - 1 {
		timer := &dropTimer{Backend: newL1(b)}
		f.timers = append(f.timers, timer)
		all = append(all, newCache(b, client{addr: s.Addr}, timer, coherent()))
	}
	for _, c := range all {
		require.Eventually(b, func() bool { return c.Status().Coherence.Trusted }, patience, time.Millisecond)
	}
	for some := range slices.Chunk(f.keys, 500) {
		require.NoError(b, f.writer.SetMany(b.Context(), maps.All(same(some, "old")), 0))
	}
	pause(b.Context(), time.Second) // or a change that is told late would break the fence of a read
	for _, c := range all[1:] {
		for some := range slices.Chunk(f.keys, 500) {
			_, err := c.GetMany(b.Context(), some)
			require.NoError(b, err)
		}
	}
	return f
}

// write writes each key, with a rest in between, or by eight writers without one.
func (f *fleet) write(b *testing.B, rest time.Duration) {
	b.Helper()
	start := time.Now()
	var next atomic.Int64
	one := func() bool {
		i := int(next.Add(1)) - 1
		if i >= len(f.keys) {
			return false
		}
		pause(b.Context(), time.Until(start.Add(time.Duration(i)*rest)))
		f.begun[i] = time.Now()
		return assert.NoError(b, f.writer.Set(b.Context(), f.keys[i], "new", 0))
	}
	writers := 1
	if rest == 0 {
		writers = 8
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for one() {
			}
		})
	}
	wg.Wait()
	f.wrote = time.Since(start)
}

// await waits until all others have dropped their copies.
func (f *fleet) await(b *testing.B) {
	b.Helper()
	for _, timer := range f.timers {
		require.Eventually(b, func() bool { return int(timer.n.Load()) == len(f.keys) }, patience, time.Millisecond)
	}
}

// spread returns the times from the begin of a write until another instance has dropped its
// copy, sorted.
func (f *fleet) spread() (took []time.Duration) {
	for _, timer := range f.timers {
		for i, key := range f.keys {
			if at, ok := timer.dropped.Load(key); ok {
				took = append(took, at.(time.Time).Sub(f.begun[i]))
			}
		}
	}
	slices.Sort(took)
	return took
}

// followers are the commands of a reader of the log.
var followers = []string{"xread", "xrevrange", "info", "multi", "exec"}

// usage is what the server has used since it was started.
type usage struct {
	cpu      time.Duration
	commands int // by which readers follow the log
	sent     int // bytes
	reply    int // bytes of this answer itself, which are sent later
}

func (u usage) minus(o usage) usage {
	return usage{cpu: u.cpu - o.cpu, commands: u.commands - o.commands, sent: u.sent - o.sent - o.reply}
}

func (f *fleet) usage(b *testing.B) (u usage) {
	b.Helper()
	text, err := f.server.Info(context.WithoutCancel(b.Context()), "cpu", "stats", "commandstats").Result()
	require.NoError(b, err)
	fields := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		calls, ofCommand := strings.CutPrefix(value, "calls=")
		calls, _, _ = strings.Cut(calls, ",")
		if number, err := strconv.ParseFloat(calls, 64); err == nil {
			fields[name] = number
		}
		if ofCommand && slices.Contains(followers, strings.TrimPrefix(name, "cmdstat_")) {
			u.commands += int(fields[name])
		}
	}
	seconds := fields["used_cpu_sys"] + fields["used_cpu_user"]
	require.Positive(b, seconds, text)
	u.cpu = time.Duration(seconds * float64(time.Second))
	u.sent, u.reply = int(fields["total_net_output_bytes"]), len(text)
	return u
}

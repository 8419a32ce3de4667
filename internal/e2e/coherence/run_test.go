package coherence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/network"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// run is several instances over one server, and what happens to them.
type run struct {
	t     *testing.T
	ctx   context.Context // that of the test
	board *board
	clock clock
	rng   *rand.Rand
	seed  uint64

	setups    []setup
	server    *server.Redis
	networks  []*network.Network // of each instance; none: they dial by themselves
	processes []*server.Process
	here      sync.WaitGroup // instances in this process
	lost      []span         // see judge
}

const (
	rate      = 60  // of the writes of an instance, a second
	logLength = 300 // short, so that an outage can be longer
)

// durable makes a server keep what it has answered, even when it is killed: it is in the
// system's hands before the answer.
var durable = []string{"--appendonly", "yes", "--appendfsync", "no"}

// seedOf is TIERCACHE_SEED, or new at every run.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("TIERCACHE_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "TIERCACHE_SEED must be a number")
	return seed
}

// newRun returns a run without instances. Writes is for how many the board has room, as
// they are made in so long a time.
func newRun(t *testing.T, lasts time.Duration) *run {
	t.Helper()
	r := &run{t: t, ctx: t.Context(), seed: seedOf(t)}
	r.rng = rand.New(rand.NewPCG(r.seed, 0)) //nolint:gosec // any order will do
	var err error
	r.clock, err = newClock()
	require.NoError(t, err)
	writes := 4*instances*rate*int(lasts/time.Second) + 10_000
	var path string
	r.board, path = newBoard(t, writes)
	for i := range instances {
		r.setups = append(r.setups, setup{
			Number: i, Board: path, Writes: writes, LogLength: logLength, Rate: rate, Seed: r.seed,
		})
	}
	return r
}

// start runs a server and the networks that lead to it.
func (r *run) start(n int, args ...string) {
	r.t.Helper()
	r.setups = r.setups[:n]
	var err error
	r.server, err = server.StartRedis(r.ctx, args...)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { r.server.Stop() }) // the one that is there then
	for i := range r.setups {
		r.networks = append(r.networks, newNetwork(r.t, r.server.Addr))
		r.setups[i].Addrs = []string{r.networks[i].Addr()}
	}
}

// startHere runs the instances in this process.
func (r *run) startHere(broken breakage) {
	r.t.Helper()
	for _, s := range r.setups {
		s.Broken = broken
		r.here.Go(func() { assert.NoError(r.t, s.run(r.ctx, r.board)) })
	}
	for i := range r.setups {
		r.await("an instance is in sync", r.board.ready[i].Load)
	}
}

// startProcesses runs each instance in a process of its own.
func (r *run) startProcesses() {
	r.t.Helper()
	r.processes = make([]*server.Process, len(r.setups))
	for i := range r.setups {
		r.startProcess(i)
	}
	r.t.Cleanup(func() {
		for _, p := range r.processes {
			p.Kill()
		}
	})
}

func (r *run) startProcess(i int) {
	r.t.Helper()
	r.board.ready[i].Store(false)
	text, err := json.Marshal(r.setups[i])
	require.NoError(r.t, err)
	r.processes[i], err = server.Start(r.ctx, server.Config{
		Program: os.Args[0], Env: []string{instanceVariable + "=" + string(text)},
		Ready: func(context.Context) error {
			if !r.board.ready[i].Load() {
				return errors.New("it is not in sync")
			}
			return nil
		},
	})
	require.NoError(r.t, err)
}

// stop ends all instances and judges them.
func (r *run) stop() *verdict {
	r.t.Helper()
	r.board.stop.Store(true)
	r.here.Wait()
	for _, p := range r.processes {
		if code := p.ExitCode(); code != 0 {
			assert.Fail(r.t, fmt.Sprintf("an instance ended with status %d; it printed:\n%s", code, p.Output()))
		}
	}
	v := judge(r.board, r.lost)
	report(r.t, "TIERCACHE_SEED=%d: %d instances\n%v", r.seed, len(r.setups), v)
	return v
}

// await waits until done returns true.
func (r *run) await(what string, done func() bool) {
	r.t.Helper()
	require.Eventually(r.t, done, patience, 5*time.Millisecond, what)
}

func (r *run) wait(d time.Duration) { pause(r.ctx, d) }

// moment is for how long connections and processes stand still: sometimes shorter than the
// bound, and sometimes longer.
func (r *run) moment() time.Duration {
	const least, most = 200 * time.Millisecond, 2 * time.Second
	return least + time.Duration(r.rng.Int64N(int64(most-least)))
}

// settle is how long something is still wrong after it was repaired: heartbeats come four
// times a second, and connections are tried again for some tenths of one.
const settle = time.Second

// inTrouble does something of which the instances are not to be blamed, and lets them
// settle.
func (r *run) inTrouble(do func()) {
	r.board.trouble.Add(1)
	do()
	r.wait(settle)
	r.board.trouble.Add(1)
}

// hits returns how many there have been so far.
func (r *run) hits() (n int64) {
	for i := range r.board.counts {
		n += r.board.counts[i].quiet[hit] + r.board.counts[i].wild[hit]
	}
	return n
}

package ycsb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/stores"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// ttl is that of every record, in both tiers.
const ttl = 24 * time.Hour

// Options say how the workloads are run.
type Options struct {
	Drivers []driver.Driver // the first that can take part is the base of all ratios
	Redis   *server.Redis   // nil: L2 is in the process, for tests

	Records    int           // how many L2 has at the begin
	ValueSize  int           // bytes of each
	Operations int           // measured in each run; a quarter as many warm the cache
	Threads    int           // how many operations are under way at once
	L1         int           // entries of the first tier
	Rounds     int           // how often everything is measured, at most
	Within     time.Duration // no round begins that would probably end later; 0: no limit
	Only       string        // names of workloads, as in "AC"; empty: all

	// Progress gets a line for every round.
	Progress io.Writer
}

func (o Options) warm() int { return o.Operations / 4 }

func (o Options) check() error {
	if min(o.Records-1, o.ValueSize, o.Operations, o.Threads, o.L1, o.Rounds) < 1 {
		return errors.New("ycsb: sizes must be positive, and there must be two records")
	}
	if len(o.workloads()) == 0 {
		return fmt.Errorf("ycsb: there is no workload %q: take some of A, B, C, D, F and G", o.Only)
	}
	return nil
}

func (o Options) workloads() (chosen []workload) {
	for _, w := range workloads() {
		if o.Only == "" || strings.Contains(o.Only, w.name) {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

// Report is the outcome of a run.
type Report struct {
	Rounds int // how often everything was measured

	drivers   []driver.Driver // those that took part
	workloads []workload
	figures   [][][]figures // by workload, driver and round
}

// bench is shared by all runs.
type bench struct {
	o      Options
	store  *stores.Store
	traces []*trace
	values [][]byte
}

// Run runs the workloads. In every round each is measured with all libraries one after
// the other, beginning with another one each time, so that a machine that is slow for a
// while does not slow one of them more than others.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx) // as that of a request can be cancelled
	defer cancel()
	r := &Report{workloads: o.workloads()}
	for _, d := range o.Drivers {
		if o.Redis != nil || !d.NeedsRedis {
			r.drivers = append(r.drivers, d)
		}
	}
	if len(r.drivers) == 0 {
		return nil, errors.New("ycsb: no library can take part: those that need a Redis have none")
	}
	b, err := prepare(ctx, o, r)
	if err != nil {
		return nil, err
	}
	for range r.workloads {
		r.figures = append(r.figures, make([][]figures, len(r.drivers)))
	}
	for begun := time.Now(); r.Rounds < o.Rounds; r.Rounds++ {
		if o.Within > 0 && r.Rounds > 0 && time.Since(begun)*time.Duration(r.Rounds+1) > o.Within*time.Duration(r.Rounds) {
			fmt.Fprintln(o.Progress, "there is no time for another round")
			break
		}
		fmt.Fprintf(o.Progress, "round %d of %d\n", r.Rounds+1, o.Rounds)
		if err := b.round(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// prepare draws the operations, and fills L2. The keys of the records are those of all
// workloads: go-ycsb derives them from their numbers.
func prepare(ctx context.Context, o Options, r *Report) (*bench, error) {
	b := &bench{o: o, values: randomValues(o.ValueSize)}
	for _, w := range r.workloads {
		t, err := recordTrace(ctx, w, o.Records, o.warm()+o.Operations, o.Threads)
		if err != nil {
			return nil, err
		}
		b.traces = append(b.traces, t)
	}
	t := b.traces[0]
	records := stores.Records{Keys: t.keys[:t.records], Value: b.value, TTL: ttl}
	var err error
	if o.Redis == nil {
		b.store, err = stores.NewMemory(ctx, r.drivers, records)
	} else {
		b.store, err = stores.NewRedis(ctx, o.Redis, r.drivers, records)
	}
	return b, err
}

func (b *bench) round(ctx context.Context, r *Report) error {
	for i, w := range r.workloads {
		for n := range r.drivers {
			j := (n + r.Rounds) % len(r.drivers)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			f, err := b.measure(ctx, r.drivers[j], b.traces[i], cmp.Or(w.l1, b.o.L1))
			if err != nil {
				return fmt.Errorf("%s, workload %s: %w", r.drivers[j].Name, w.name, err)
			}
			r.figures[i][j] = append(r.figures[i][j], f)
		}
	}
	return nil
}

// value returns a value. There are some, which are shared: to make one is not measured.
func (b *bench) value(i int) []byte { return b.values[i%len(b.values)] }

func randomValues(size int) [][]byte {
	const some = 256
	source := rand.NewChaCha8([32]byte{}) // the same in every run
	values := make([][]byte, some)
	for i := range values {
		values[i] = make([]byte, size)
		_, _ = source.Read(values[i]) // it never fails
	}
	return values
}

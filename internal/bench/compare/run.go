// Package compare measures caches of several libraries against each other, over
// an L2 in memory and over a Redis.
package compare

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/stores"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// Options say how a comparison is made.
type Options struct {
	Drivers []driver.Driver // the first is the one that the others are compared with
	Redis   *server.Redis   // nil: only over memory
	Rounds  int             // how often everything is measured, at most
	Within  time.Duration   // no round begins that would probably end later; 0: no limit
	Time    string          // for how long each time, as for go test -benchtime
	Only    string          // workloads whose names contain it; empty: all

	// Raw gets the results in the format of go test -bench, for benchstat.
	Raw io.Writer

	// Progress gets a line for every round.
	Progress io.Writer
}

// Report is the outcome of a comparison.
type Report struct {
	Rounds int // how often everything was measured

	drivers   []driver.Driver
	workloads []workload
	tables    []table
}

// table has the figures over one L2: for each workload and driver, those of all
// rounds, or none where the library cannot take part.
type table struct {
	store   string
	figures [][][]figures
}

// Run makes the comparison. In every round each workload is measured with all
// libraries one after the other, beginning with another one each time, so that a
// machine that is slow for a while does not slow one of them more than others.
func Run(ctx context.Context, o Options) (*Report, error) {
	ctx, cancel := context.WithCancel(ctx) // as that of a request can be cancelled
	defer cancel()
	testing.Init()
	if err := flag.Set("test.benchtime", o.Time); err != nil {
		return nil, fmt.Errorf("benchtime: %w", err)
	}
	s := &bench{keys: makeKeys(), zipf: zipf(), miss: &missing{}}
	l2s, err := openStores(ctx, o, s.keys)
	if err != nil {
		return nil, err
	}
	r := &Report{drivers: o.Drivers}
	for _, l := range workloads() {
		if strings.Contains(l.name, o.Only) {
			r.workloads = append(r.workloads, l)
		}
	}
	for _, st := range l2s {
		r.tables = append(r.tables, newTable(st.Name, len(r.workloads), len(o.Drivers)))
	}
	writeHeader(o.Raw)
	for begun := time.Now(); r.Rounds < o.Rounds; r.Rounds++ {
		if o.Within > 0 && r.Rounds > 0 && time.Since(begun)*time.Duration(r.Rounds+1) > o.Within*time.Duration(r.Rounds) {
			fmt.Fprintln(o.Progress, "there is no time for another round")
			break
		}
		fmt.Fprintf(o.Progress, "round %d of %d\n", r.Rounds+1, o.Rounds)
		for i, st := range l2s {
			if err := s.round(ctx, o, r, &r.tables[i], st, r.Rounds); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

func newTable(store string, workloads, drivers int) table {
	t := table{store: store, figures: make([][][]figures, workloads)}
	for i := range t.figures {
		t.figures[i] = make([][]figures, drivers)
	}
	return t
}

func openStores(ctx context.Context, o Options, keys []string) ([]*stores.Store, error) {
	records := stores.Records{Keys: keys, Value: func(int) []byte { return value }, TTL: ttl}
	memory, err := stores.NewMemory(ctx, o.Drivers, records)
	if err != nil || o.Redis == nil {
		return []*stores.Store{memory}, err
	}
	inRedis, err := stores.NewRedis(ctx, o.Redis, o.Drivers, records)
	return []*stores.Store{memory, inRedis}, err
}

func (s *bench) round(ctx context.Context, o Options, r *Report, t *table, st *stores.Store, round int) error {
	for i, l := range r.workloads {
		for n := range o.Drivers {
			j := (n + round) % len(o.Drivers)
			d := o.Drivers[j]
			switch {
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case why(d, l, st) != "":
				continue
			}
			f, err := s.measure(ctx, d, l, st)
			if err != nil {
				return err
			}
			if l.mix > 0 && !st.Redis() && round < observed {
				f.seen = true
				if f.hits, f.peak, err = s.observe(ctx, d, l, st); err != nil {
					return err
				}
			}
			t.figures[i][j] = append(t.figures[i][j], f)
			writeRaw(o.Raw, d, l, st, f)
		}
	}
	return nil
}

// observed is the number of rounds in which hits and memory are observed too.
// They vary much less than times.
const observed = 3

// why returns why a library cannot take part.
func why(d driver.Driver, l workload, st *stores.Store) string {
	if d.NeedsRedis && !st.Redis() {
		return "its L2 can only be a Redis"
	}
	return d.Missing(l.needs...)
}

func writeHeader(w io.Writer) {
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/tiercache/tiercache/internal/bench\n",
		runtime.GOOS, runtime.GOARCH)
}

// writeRaw prints a result as go test does. To compare libraries with benchstat,
// use -col /cache.
func writeRaw(w io.Writer, d driver.Driver, l workload, st *stores.Store, f figures) {
	name := strings.NewReplacer(", ", "+", " ", "-", "/", "-").Replace(d.Name)
	fmt.Fprintf(w, "Benchmark%s/l2=%s/cache=%s-%d\t%s\t%s", l.name, st.Name, name,
		runtime.GOMAXPROCS(0), f.result, f.result.MemString())
	if f.seen {
		fmt.Fprintf(w, "\t%.4f hits/read\t%.0f peak-B", f.hits, f.peak)
	}
	fmt.Fprintln(w)
}

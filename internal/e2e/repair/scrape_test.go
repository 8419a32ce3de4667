package repair

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tiercache/tiercache/tracing"
)

// books are the events of repair as a scrape shows them.
type books struct{ opened, closed, open int64 }

func (b books) balanced() bool { return b.opened-b.closed == b.open }

// collect scrapes the metrics.
func collect(ctx context.Context, reader *sdkmetric.ManualReader) (b books, err error) {
	var data metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &data); err != nil {
		return b, err
	}
	b.opened = sumOf(&data, tracing.MetricLedgerAdditions)
	b.closed = sumOf(&data, tracing.MetricRepairs)
	b.open = sumOf(&data, tracing.MetricLedgerEntries)
	return b, nil
}

func sumOf(data *metricdata.ResourceMetrics, name string) (n int64) {
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if points, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == name {
				for _, p := range points.DataPoints {
					n += p.Value
				}
			}
		}
	}
	return n
}

// scrapes are those of some instances during a run.
type scrapes struct {
	n, withOpen atomic.Int64
	stop        func()
}

// scrape scrapes the status and the metrics of all instances again and again, until stop:
// at each time, the events that were opened less those that were closed are open. Each
// instance has two readers of metrics, as a service has that exports them to two places.
func scrape(t *testing.T, instances ...*instance) *scrapes {
	t.Helper()
	s := new(scrapes)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	s.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(s.stop)
	const rest = 20 * time.Millisecond
	note := func(b books, from string) bool {
		s.n.Add(1)
		if b.open > 0 {
			s.withOpen.Add(1)
		}
		return assert.True(t, b.balanced(), "%s: %+v", from, b) && pause(ctx, rest)
	}
	for _, i := range instances {
		wg.Go(func() {
			for ok := true; ok; {
				r := i.Status().Repair
				ok = note(books{int64(r.Opened), int64(r.Closed), int64(r.Open)}, "Status")
			}
		})
		for _, reader := range i.readers {
			wg.Go(func() {
				for ok := true; ok; {
					b, err := collect(context.WithoutCancel(ctx), reader)
					ok = assert.NoError(t, err) && note(b, "metrics")
				}
			})
		}
	}
	return s
}

// check ends the scrapes.
func (s *scrapes) check(t *testing.T) {
	t.Helper()
	s.stop()
	require.Positive(t, s.withOpen.Load(), "no scrape has seen an open key")
	report(t, "%d scrapes, %d of them with open keys, and all in balance", s.n.Load(), s.withOpen.Load())
}

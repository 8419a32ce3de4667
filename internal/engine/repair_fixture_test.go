package engine_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
)

// passed is a time after which L2 refuses all writes that were given up on.
const passed = tiercache.DefaultWriteTimeout + time.Second

// late loses a request of L2, which may still arrive.
type late struct {
	apply func(context.Context) error
}

func (l *late) fault() backendtest.Fault {
	return func(_ context.Context, apply func(context.Context) error) error {
		l.apply = apply
		return context.DeadlineExceeded
	}
}

// arrive has the request arrive now.
func (l *late) arrive() { _ = l.apply(context.Background()) }

// resolutions is a log handler that takes down the resolutions of events.
type resolutions struct {
	slog.Handler
	mu    sync.Mutex
	names []string
}

func (r *resolutions) Enabled(context.Context, slog.Level) bool { return true }

func (r *resolutions) Handle(_ context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == string(tracing.AttrResolution) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.names = append(r.names, a.Value.String())
		}
		return true
	})
	return nil
}

func (r *resolutions) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := r.names
	r.names = nil
	return names
}

// repaired runs a test with two instances over one store, of which the first one's
// resolutions are taken down. Both know the value "old" in L2 at first.
func repaired(t *testing.T, test func(t *testing.T, s *store, here, there *instance, r *resolutions), opts ...tiercache.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, r := backendtest.NewStore[string](), new(resolutions)
		opts := append(slices.Clone(opts), tiercache.WithTelemetry(tracing.Disabled(), tracing.WithSlog(slog.New(r))))
		here, there := newInstance(t, s, opts...), newInstance(t, s)
		there.set(t, "old")
		sync2(t, here, there)
		assert.Equal(t, "old (l2)", here.read(t))
		test(t, s, here, there, r)
		there.close(t)
		if status := here.Status().Repair; status.Open > 0 {
			require.ErrorIs(t, here.Close(t.Context()), tiercache.ErrDiverged)
		} else {
			here.close(t)
		}
		status := here.Status().Repair
		assert.Equal(t, uint64(status.Open), status.Opened-status.Closed) //nolint:gosec // not negative
	})
}

// sync2 has both instances in sync, and waits for repairs.
func sync2(t *testing.T, instances ...*instance) {
	t.Helper()
	for _, i := range instances {
		require.True(t, i.client.Sync())
	}
	synctest.Wait()
}

// open returns the causes of the keys that are open.
func (i *instance) open() (causes []string) {
	for _, k := range i.Status().Repair.Keys {
		causes = append(causes, k.Cause)
	}
	return causes
}

func inL2(s *store) string {
	entry, ok := s.Snapshot()["k"]
	if !ok {
		return "none"
	}
	return entry.Value
}

var refuse = backendtest.FailBefore(errDown)

// down makes all calls of L2 fail, up ends that.
func (i *instance) down() {
	for _, kind := range []tier.Kind{tier.Get, tier.Set, tier.Delete} {
		i.l2.Always(kind, refuse)
	}
}

func (i *instance) up() { i.l2.Clear() }

// ends counts the resolutions of a game.
type ends struct {
	resolutions
	game *game
}

func (e *ends) Handle(ctx context.Context, record slog.Record) error {
	_ = e.resolutions.Handle(ctx, record)
	e.game.mu.Lock()
	defer e.game.mu.Unlock()
	for _, name := range e.take() {
		e.game.ends[name]++
	}
	return nil
}

func countEnds(g *game) *slog.Logger { return slog.New(&ends{game: g}) }

package redislog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Client is what a hub needs of an adapter.
type Client struct {
	// Connect opens a connection to the server of a partition.
	Connect func(ctx context.Context, p *Partition) (Conn, error)

	// Failed is called after a connection has failed.
	Failed func(ctx context.Context)

	// ForGood reports whether an error of a connection will not pass: the server refuses
	// the commands, or the client is closed.
	ForGood func(err error) bool

	// WatchError turns such an error into that of Watch.
	WatchError func(err error) error
}

// Hub shares the readers of a backend among its sinks. They run while there is a sink. It
// must not be copied.
type Hub struct {
	readers    func(t teller) []*reader // makes one for each partition
	watchError func(err error) error

	mu      sync.Mutex
	current *following // nil: nobody watches
	foreign bool       // a writer of other rules was seen, once and for all
}

// Init makes h the hub of a log.
func (h *Hub) Init(log *Log, client Client) {
	h.watchError = client.WatchError
	h.readers = func(t teller) []*reader {
		readers := make([]*reader, len(log.Partitions))
		for i, p := range log.Partitions {
			readers[i] = &reader{
				number: i, tell: t, see: p.See, seen: p.Seen, failed: client.Failed, forGood: client.ForGood,
				connect: func(ctx context.Context) (logConn, func(), error) {
					conn, err := client.Connect(ctx, p)
					if err != nil {
						return nil, nil, err
					}
					return &serverConn{log: log, part: p, conn: conn}, conn.Close, nil
				},
			}
		}
		return readers
	}
}

// Watch tells sink of the changes until ctx ends, when it returns nil, or the log cannot be
// followed, when it returns an error of [Client.WatchError] or a [*backends.PanicError].
func (h *Hub) Watch(ctx context.Context, sink backends.Sink) error {
	w := &watch{sink: sink, failed: make(chan error, 1)}
	f := h.add(ctx, w)
	defer h.remove(f, w)
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.failed:
		return err
	}
}

// watch is one call of Watch.
type watch struct {
	sink   backends.Sink
	since  time.Time
	synced time.Time // as it was told
	failed chan error
}

// fail ends the call; the first error counts.
func (w *watch) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

// add lets the sink of w be told, and starts the readers if it is the first.
func (h *Hub) add(ctx context.Context, w *watch) *following {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		h.current = h.start(ctx)
	}
	f := h.current
	f.mu.Lock()
	defer f.mu.Unlock()
	w.since = time.Now()
	f.watches = append(f.watches, w)
	switch {
	case f.failed != nil:
		w.fail(f.failed)
	case h.foreign:
		f.call(w, func() { w.sink.Lost(backends.LossProtocol) })
	}
	return f
}

func (h *Hub) start(ctx context.Context) *following {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // they outlive the first call
	f := &following{cancel: cancel, hub: h}
	readers := h.readers(f)
	f.asOf = make([]time.Time, len(readers))
	for _, r := range readers {
		r.foreign = h.foreign
		f.wg.Go(func() { f.follow(ctx, r) })
	}
	return f
}

// remove ends the telling to w, and the readers if it was the last.
func (h *Hub) remove(f *following, w *watch) {
	h.mu.Lock()
	f.mu.Lock()
	f.watches = slices.DeleteFunc(f.watches, func(other *watch) bool { return other == w })
	last := len(f.watches) == 0
	f.mu.Unlock()
	if last && h.current == f {
		h.current = nil
	}
	h.mu.Unlock()
	if last {
		f.cancel()
		f.wg.Wait()
	}
}

// noteForeign is called without the lock of a following.
func (h *Hub) noteForeign() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.foreign = true
}

// following is the time in which there are sinks, and the readers that run in it.
type following struct {
	hub    *Hub
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // held while sinks are told
	watches []*watch
	asOf    []time.Time // of each partition; zero: not in sync
	failed  error
}

var _ teller = (*following)(nil)

// follow runs a reader, and tells when it cannot go on.
func (f *following) follow(ctx context.Context, r *reader) {
	err := ErrReaderEnded
	defer func() {
		if err != nil {
			f.fail(err)
		}
	}()
	err = r.run(ctx)
}

func (f *following) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return
	}
	f.failed = f.hub.watchError(err)
	for _, w := range f.watches {
		if errors.Is(f.failed, backends.ErrUnsupported) {
			f.call(w, func() { w.sink.Lost(backends.LossUnsupported) })
		}
		w.fail(f.failed)
	}
}

// call calls a sink. One that panics is not called again.
func (f *following) call(w *watch, do func()) {
	defer func() {
		if v := recover(); v != nil {
			w.sink = deaf{}
			w.fail(&backends.PanicError{Value: v})
		}
	}()
	do()
}

// deaf is in place of a sink that has panicked.
type deaf struct{}

func (deaf) Changed([]backends.Change) {}
func (deaf) Synced(time.Time)          {}
func (deaf) Lost(backends.Loss)        {}

func (f *following) changed(changes []backends.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.watches {
		f.call(w, func() { w.sink.Changed(changes) })
	}
}

// synced tells the instant up to which all partitions are in sync.
func (f *following) synced(part int, asOf time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asOf[part] = asOf
	least := slices.MinFunc(f.asOf, time.Time.Compare)
	if least.IsZero() {
		return
	}
	for _, w := range f.watches {
		if least.After(w.synced) && !least.Before(w.since) {
			w.synced = least
			f.call(w, func() { w.sink.Synced(least) })
		}
	}
}

func (f *following) lost(part int, cause backends.Loss) {
	if cause == backends.LossProtocol {
		f.hub.noteForeign()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asOf[part] = time.Time{}
	for _, w := range f.watches {
		f.call(w, func() { w.sink.Lost(cause) })
	}
}

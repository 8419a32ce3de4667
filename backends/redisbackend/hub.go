package redisbackend

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

// hub shares the readers of a backend among its sinks. They run while there is a sink.
type hub struct {
	readers func(t teller) []*reader // makes one for each partition

	mu      sync.Mutex
	current *following // nil: nobody watches
	foreign bool       // a writer of other rules was seen, once and for all
}

func (h *hub) init(b *Backend, connect func(ctx context.Context, key string) (*redis.Conn, error)) {
	h.readers = func(t teller) []*reader {
		readers := make([]*reader, len(b.log.partitions))
		for i, p := range b.log.partitions {
			readers[i] = &reader{
				number: i, tell: t, see: p.see, failed: b.reloadState,
				seen: func() backends.Version { return backends.Version(p.seen.Load()) },
				connect: func(ctx context.Context) (logConn, func(), error) {
					conn, err := connect(ctx, p.log)
					if err != nil {
						return nil, nil, err
					}
					return &serverConn{log: b.log, part: p, conn: conn}, func() { _ = conn.Close() }, nil
				},
			}
		}
		return readers
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
func (h *hub) add(ctx context.Context, w *watch) *following {
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

func (h *hub) start(ctx context.Context) *following {
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
func (h *hub) remove(f *following, w *watch) {
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
func (h *hub) noteForeign() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.foreign = true
}

// following is the time in which there are sinks, and the readers that run in it.
type following struct {
	hub    *hub
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // held while sinks are told
	watches []*watch
	asOf    []time.Time // of each partition; zero: not in sync
	failed  error
}

var _ teller = (*following)(nil)

var errReaderEnded = errors.New("redisbackend: a sink ended the reader's goroutine")

// follow runs a reader, and tells when it cannot go on.
func (f *following) follow(ctx context.Context, r *reader) {
	err := errReaderEnded
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
	f.failed = watchError(err)
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

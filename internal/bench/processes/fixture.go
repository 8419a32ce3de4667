package processes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// fixture is two instances of one library over one server.
type fixture struct {
	a, b     *instance
	netA     *proxy
	netB     *proxy
	server   *server.Redis
	proxies  []*proxy // all
	cleanups []func()

	cluster *server.Cluster // nil: there is one server
	nodesB  []*proxy        // of B, to the nodes of the cluster
}

const (
	patience = 20 * time.Second // for steps that every library must take
	pause    = time.Millisecond // between two reads
)

var errPatience = errors.New("processes: a step of the script did not happen")

func newFixture(ctx context.Context, lib Library) (f *fixture, err error) {
	f = &fixture{}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.server, err = server.StartRedis(ctx); err != nil {
		return f, err
	}
	f.cleanups = append(f.cleanups, f.server.Stop)
	if f.a, f.netA, err = f.open(ctx, lib); err != nil {
		return f, err
	}
	if f.b, f.netB, err = f.open(ctx, lib); err != nil {
		return f, err
	}
	return f, nil
}

// open makes an instance behind a proxy.
func (f *fixture) open(ctx context.Context, lib Library) (*instance, *proxy, error) {
	p, err := f.proxyTo(ctx, f.server.Addr)
	if err != nil {
		return nil, nil, err
	}
	i, err := f.start(ctx, lib, place{addrs: []string{p.addr()}, dial: (&net.Dialer{}).DialContext})
	return i, p, err
}

// proxyTo makes a proxy.
func (f *fixture) proxyTo(ctx context.Context, addr string) (*proxy, error) {
	p, err := newProxy(ctx, addr)
	if err != nil {
		return nil, err
	}
	f.proxies = append(f.proxies, p)
	f.cleanups = append(f.cleanups, func() { _ = p.close() })
	return p, nil
}

// start makes an instance, and waits until it is ready.
func (f *fixture) start(ctx context.Context, lib Library, at place) (*instance, error) {
	i, err := lib.open(at)
	if err != nil {
		return nil, err
	}
	f.cleanups = append(f.cleanups, i.close)
	return i, until(ctx, i.ready)
}

// close ends all, in the reverse order; what is held back passes first.
func (f *fixture) close() {
	for _, p := range f.proxies {
		p.release()
	}
	for _, end := range slices.Backward(f.cleanups) {
		end()
	}
}

// share has A write a value, and B read it until it has a copy.
func (f *fixture) share(ctx context.Context, value string) error {
	if err := f.a.set(ctx, value); err != nil {
		return fmt.Errorf("processes: the first write: %w", err)
	}
	return f.await(ctx, f.b, value)
}

// await reads until the instance has returned a value several times.
func (f *fixture) await(ctx context.Context, i *instance, value string) error {
	times := 0
	return until(ctx, func() bool {
		got, err := i.read(ctx)
		if err != nil || got != (answer{value: value}) {
			times = 0
			return false
		}
		times++
		return times == 20
	})
}

// read is get with a timeout.
func (i *instance) read(ctx context.Context) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return i.get(ctx)
}

// acknowledged repeats a change until it is.
func acknowledged(ctx context.Context, change func(ctx context.Context) error) (at time.Time, err error) {
	last := errPatience
	err = until(ctx, func() bool {
		ctx, cancel := context.WithTimeout(ctx, 2*timeout)
		defer cancel()
		last = change(ctx)
		return last == nil
	})
	return time.Now(), errors.Join(err, last)
}

// until asks every few milliseconds whether something is so.
func until(ctx context.Context, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(5 * pause)
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errPatience
		}
	}
	return nil
}

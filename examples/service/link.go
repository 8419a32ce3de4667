package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// link is the network between this instance and Redis. With -faults it can be cut, to
// show how an instance does without the others. It is safe for concurrent use.
type link struct {
	mu    sync.Mutex
	isCut bool
	conns map[net.Conn]struct{}
}

func newLink() *link { return &link{conns: make(map[net.Conn]struct{})} }

// dial is a dialer for the client.
func (l *link) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l.mu.Lock()
	isCut := l.isCut
	l.mu.Unlock()
	if isCut {
		return nil, errCut(network)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut { // meanwhile
		return nil, errors.Join(errCut(network), conn.Close())
	}
	c := &linked{Conn: conn, link: l}
	l.conns[c] = struct{}{}
	return c, nil
}

// errCut is the error of a dial while the link is cut: the usual one of a server that
// nobody runs.
func errCut(network string) error {
	return &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// cut closes all connections, and refuses new ones.
func (l *link) cut() {
	l.mu.Lock()
	l.isCut = true
	conns := l.conns
	l.conns = make(map[net.Conn]struct{})
	l.mu.Unlock()
	for c := range conns {
		_ = c.Close() // the client sees it
	}
}

// restore ends cut.
func (l *link) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

// linked is a connection that the link knows.
type linked struct {
	net.Conn
	link *link
}

// Close closes the connection.
func (c *linked) Close() error {
	c.link.mu.Lock()
	delete(c.link.conns, c)
	c.link.mu.Unlock()
	return c.Conn.Close()
}

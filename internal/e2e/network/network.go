package network

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// Direction is that of the bytes on a connection.
type Direction int

// The directions.
const (
	Up   Direction = iota // to the server
	Down                  // from it
)

// Network is the way of a client to the server. It is safe for concurrent use. Use
// [Start].
type Network struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string
	conns  map[*conn]bool
	cut    bool
	closed bool
	gates  [2]chan struct{} // of each direction; closed: it is open
	kept   chan struct{}    // of commands that were kept; closed: they go on
	meet   func(sent []byte) Fate

	received atomic.Int64
}

// Start lets clients connect to a port of the loopback interface, and passes them on to
// the target.
func Start(ctx context.Context, target string) (*Network, error) {
	n := &Network{target: target, conns: make(map[*conn]bool), kept: make(chan struct{})}
	for d := range n.gates {
		n.gates[d] = make(chan struct{})
		close(n.gates[d])
	}
	var config net.ListenConfig
	var err error
	if n.listener, err = config.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	n.wg.Go(n.serve)
	return n, nil
}

// Close ends all connections, and waits for them.
func (n *Network) Close() error {
	err := n.listener.Close()
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.CutOff()
	n.Release(Up)
	n.Release(Down)
	n.LetGo()
	n.wg.Wait()
	return err
}

// Addr is the address for clients.
func (n *Network) Addr() string { return n.listener.Addr().String() }

// Received is how many bytes the server has sent.
func (n *Network) Received() int64 { return n.received.Load() }

// Hold keeps back what is sent in the direction, until Release. What has been sent before
// its connection ended is passed on then too.
func (n *Network) Hold(d Direction) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gates[d] = make(chan struct{})
}

// Release lets pass what was held back.
func (n *Network) Release(d Direction) {
	n.mu.Lock()
	defer n.mu.Unlock()
	open(n.gates[d])
}

// LetGo lets pass what was kept.
func (n *Network) LetGo() {
	n.mu.Lock()
	defer n.mu.Unlock()
	open(n.kept)
	if !n.closed {
		n.kept = make(chan struct{})
	}
}

func open(gate chan struct{}) {
	select {
	case <-gate:
	default:
		close(gate)
	}
}

// CutOff ends all connections and lets nobody connect, until Mend.
func (n *Network) CutOff() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
	for c := range n.conns {
		c.close()
	}
}

// Mend ends CutOff.
func (n *Network) Mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = false
}

// Redirect leads to another server from now on.
func (n *Network) Redirect(target string) {
	n.CutOff()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.target, n.cut = target, false
}

// Meet lets f decide on all that is sent to the server: a piece that is at most 64 KB
// long, which is one command or one pipeline of a client that sends each at once. A nil
// f lets all pass. F is called from several goroutines, and may not call n.
func (n *Network) Meet(f func(sent []byte) Fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.meet = f
}

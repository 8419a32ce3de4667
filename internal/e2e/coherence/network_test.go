package coherence

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// network is the way of an instance to the server. It can hold back what is sent in either
// direction, and pass it on later, which no toxic does: that makes late writes.
type network struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string
	conns  map[net.Conn]bool
	cut    bool
	closed bool
	gates  [2]chan struct{} // of each direction; closed: it is open

	received atomic.Int64 // bytes that the server has sent
}

// The directions.
const (
	up = iota
	down
)

func newNetwork(tb testing.TB, target string) *network {
	tb.Helper()
	n := &network{target: target, conns: make(map[net.Conn]bool)}
	for d := range n.gates {
		n.gates[d] = make(chan struct{})
		close(n.gates[d])
	}
	var config net.ListenConfig
	var err error
	n.listener, err = config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	n.wg.Go(n.serve)
	tb.Cleanup(func() {
		assert.NoError(tb, n.listener.Close())
		n.mu.Lock()
		n.closed = true
		n.mu.Unlock()
		n.cutOff()
		n.release(up)
		n.release(down)
		n.wg.Wait()
	})
	return n
}

func (n *network) addr() string { return n.listener.Addr().String() }

func (n *network) serve() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.wg.Go(func() { n.pass(client) })
	}
}

// pass connects a client with the server.
func (n *network) pass(client net.Conn) {
	n.mu.Lock()
	target := n.target
	n.mu.Unlock()
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	if !n.register(client, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { n.copy(server, client, up) })
	both.Go(func() { n.copy(client, server, down) })
	both.Wait()
	n.mu.Lock()
	delete(n.conns, client)
	delete(n.conns, server)
	n.mu.Unlock()
}

func (n *network) register(conns ...net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		if n.cut || n.closed {
			_ = c.Close()
			continue
		}
		n.conns[c] = true
	}
	return !n.cut && !n.closed
}

// copy passes on what comes. What has come before the connection ended is passed on too,
// even if it was held back.
func (n *network) copy(to, from net.Conn, direction int) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		read, err := from.Read(buf)
		if direction == down {
			n.received.Add(int64(read))
		}
		n.mu.Lock()
		gate := n.gates[direction]
		n.mu.Unlock()
		<-gate
		if _, failed := to.Write(buf[:read]); err != nil || failed != nil {
			if err == nil || err == io.EOF { //nolint:errorlint // of a connection
				_ = from.Close()
			}
			return
		}
	}
}

// hold keeps back what is sent in the direction, until release.
func (n *network) hold(direction int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gates[direction] = make(chan struct{})
}

func (n *network) release(direction int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.gates[direction]:
	default:
		close(n.gates[direction])
	}
}

// cutOff ends all connections and lets nobody connect, until mend.
func (n *network) cutOff() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = true
	for c := range n.conns {
		_ = c.Close()
	}
}

func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = false
}

// redirect leads to another server from now on.
func (n *network) redirect(target string) {
	n.cutOff()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.target, n.cut = target, false
}

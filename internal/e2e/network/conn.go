package network

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Fate is the decision on a command.
type Fate int

// The fates. The last four are those of the connection too, on which nothing else passes.
const (
	Pass        Fate = iota
	Keep             // it is kept back until [Network.LetGo], also if the client hangs up
	Lose             // it does not arrive, and nothing ends
	LoseAnswer       // it arrives, and its answer does not
	ResetBefore      // the connection is reset, and the command does not arrive
	ResetAfter       // it arrives, and the connection is reset instead of the answer
)

// conn is one connection of a client, and the one to the server that belongs to it.
type conn struct {
	network        *Network
	client, server net.Conn
	fate           atomic.Int64 // of the answer
}

func (n *Network) serve() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return
		}
		n.wg.Go(func() { n.pass(client) })
	}
}

// pass connects a client with the server.
func (n *Network) pass(client net.Conn) {
	n.mu.Lock()
	target := n.target
	n.mu.Unlock()
	var d net.Dialer
	server, err := d.DialContext(context.Background(), "tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &conn{network: n, client: client, server: server}
	if !n.register(c) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.copy(server, client, Up) })
	both.Go(func() { c.copy(client, server, Down) })
	both.Wait()
	n.mu.Lock()
	delete(n.conns, c)
	n.mu.Unlock()
}

func (n *Network) register(c *conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut || n.closed {
		c.close()
		return false
	}
	n.conns[c] = true
	return true
}

func (c *conn) close() {
	_ = c.client.Close()
	_ = c.server.Close()
}

// reset ends the client's connection as a server does that knows nothing of it.
func (c *conn) reset() {
	if tcp, ok := c.client.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.close()
}

// copy passes on what comes. What has come before the connection ended is passed on too,
// even if it was held back.
func (c *conn) copy(to, from net.Conn, d Direction) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		read, err := from.Read(buf)
		fate := c.met(buf[:read], d)
		switch {
		case read == 0, fate == Pass, fate == Keep:
		case fate == ResetBefore, fate == ResetAfter && d == Down:
			c.reset()
			return
		case fate == Lose, fate == LoseAnswer && d == Down:
			read = 0
		}
		if _, failed := to.Write(buf[:read]); err != nil || failed != nil {
			if err == nil || errors.Is(err, io.EOF) {
				_ = from.Close()
			}
			return
		}
	}
}

// met waits until a piece may pass, and returns what becomes of it.
func (c *conn) met(piece []byte, d Direction) Fate {
	n := c.network
	n.mu.Lock()
	gate, kept, meet := n.gates[d], n.kept, n.meet
	n.mu.Unlock()
	<-gate
	if d == Down {
		n.received.Add(int64(len(piece)))
		return Fate(c.fate.Load())
	}
	fate := Fate(c.fate.Load())
	if fate == Pass && meet != nil && len(piece) > 0 {
		fate = meet(piece)
	}
	switch fate {
	case Keep:
		<-kept
	case LoseAnswer, ResetAfter, Lose:
		c.fate.Store(int64(fate))
	case Pass, ResetBefore:
	}
	return fate
}

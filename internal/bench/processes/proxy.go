package processes

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
)

// proxy is a network between one client and a server that fails as a script asks. Its
// methods are safe for concurrent use.
type proxy struct {
	listener net.Listener
	all      sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	target   string
	down     bool // connections are refused
	closed   bool
	held     func(data []byte) bool // requests that are held back; nil: none
	answers  func(data []byte) bool // requests whose answers are held back; nil: none
	caught   int                    // how many of either
	conns    map[*link]struct{}
	released int // counts calls of release
}

// link is one connection of the client and the one to the server that belongs to it.
type link struct {
	client, server net.Conn
	mute           bool // answers are held back
}

func newProxy(ctx context.Context, target string) (*proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, conns: make(map[*link]struct{})}
	p.changed = sync.NewCond(&p.mu)
	p.all.Go(p.accept)
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // close
		}
		p.all.Go(func() { p.serve(client) })
	}
}

func (p *proxy) serve(client net.Conn) {
	p.mu.Lock()
	down, target := p.down || p.closed, p.target
	p.mu.Unlock()
	if down {
		_ = client.Close()
		return
	}
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	if p.down || p.closed || p.target != target {
		l.cut()
	}
	p.conns[l] = struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.requests(l) })
	both.Go(func() { p.replies(l) })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, l)
	p.mu.Unlock()
}

// requests forwards those of the client. Bytes that were held back reach the server even
// if the client has left, as they do from a network that was slow.
func (p *proxy) requests(l *link) {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buf)
		if n > 0 && p.mayPass(l, buf[:n]) {
			if _, err := l.server.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	l.cut()
}

// mayPass waits while a request is held back. It reports false when the proxy is closed.
func (p *proxy) mayPass(l *link, data []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answers != nil && p.answers(data) {
		l.mute = true
		p.caught++
	}
	if p.held != nil && p.held(data) {
		p.caught++
		for begun := p.released; begun == p.released && !p.closed; {
			p.changed.Wait()
		}
	}
	return !p.closed
}

func (p *proxy) replies(l *link) {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		p.mu.Lock()
		for l.mute && !p.closed {
			p.changed.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := l.client.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	l.cut()
}

func (l *link) cut() { _, _ = l.client.Close(), l.server.Close() }

// cut closes all connections, and refuses new ones until restore.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for l := range p.conns {
		l.cut()
	}
}

// restore ends cut.
func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// freeze holds all bytes back in both directions, and closes nothing: the connections
// are half-open.
func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = func([]byte) bool { return true }
	p.answers = p.held
	for l := range p.conns {
		l.mute = true
	}
}

// holdRequests holds requests back that contain text, and all that follows in their
// connections.
func (p *proxy) holdRequests(text string) { p.hold(text, &p.held) }

// holdReplies holds back the answers of connections with a request that contains text.
func (p *proxy) holdReplies(text string) { p.hold(text, &p.answers) }

func (p *proxy) hold(text string, into *func(data []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.caught = 0
	*into = func(data []byte) bool { return bytes.Contains(data, []byte(text)) }
}

// holds reports whether something was held back since the last call of a hold.
func (p *proxy) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.caught > 0
}

// release lets all pass that was held back.
func (p *proxy) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.answers = nil, nil
	p.released++
	for l := range p.conns {
		l.mute = false
	}
	p.changed.Broadcast()
}

// lead cuts all connections; new ones go to another server.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	for l := range p.conns {
		l.cut()
	}
}

// close ends the proxy, and waits for its goroutines.
func (p *proxy) close() error {
	p.mu.Lock()
	p.closed = true
	for l := range p.conns {
		l.cut()
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	err := p.listener.Close()
	p.all.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

package rueidisbackend_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

// cutConn is a connection that ends after so many bytes in both directions together.
type cutConn struct {
	net.Conn
	budget *budget
}

// budget is how many bytes may still pass; less than 0: all.
type budget struct {
	mu   sync.Mutex
	left int
}

// take returns how many of n bytes may pass, and whether the connection ends with them.
func (b *budget) take(n int) (may int, ends bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		return n, false
	}
	may = min(n, b.left)
	b.left -= may
	return may, b.left == 0
}

func (b *budget) set(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = n
}

func (c *cutConn) Write(data []byte) (int, error) {
	may, ends := c.budget.take(len(data))
	n, err := c.Conn.Write(data[:may])
	if ends {
		_ = c.Close()
		if n < len(data) {
			return n, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
		}
	}
	return n, err
}

func (c *cutConn) Read(data []byte) (int, error) {
	n, err := c.Conn.Read(data)
	may, ends := c.budget.take(n)
	if ends {
		_ = c.Close()
		if may < n {
			return may, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		}
	}
	return may, err
}

// cutClient returns a backend without retries, and a function that limits how many bytes
// its connection still carries.
func cutClient(t *testing.T, s *server, o rueidis.ClientOption) (b *rueidisbackend.Backend, limit func(bytes int)) {
	t.Helper()
	budget := &budget{left: -1}
	o.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, c *tls.Config) (net.Conn, error) {
		conn, err := s.dial(ctx, addr, d, c)
		if err != nil {
			return nil, err
		}
		return &cutConn{conn, budget}, nil
	}
	client, err := rueidis.NewClient(o)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return newBackend(t, client, rueidisbackend.WithRetries(0)), budget.set
}

package redis_test

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blindness are tests in the script of changes, and tests of the same length that
// find every condition true.
var blindness = map[string][2]string{
	"without the version":    {"old ~= ARGV[11]", "nil == ARGV[11]"},
	"without what is absent": {"if live then return", "if nil  then return"},
}

// blinding is a connection to a server that gets the script without one of its tests. In
// all else it is one of TCP, so that go-redis can see when the other end has closed it.
type blinding struct {
	*net.TCPConn
	test [2]string
}

func (b *blinding) Write(p []byte) (int, error) {
	return b.TCPConn.Write(bytes.ReplaceAll(p, []byte(b.test[0]), []byte(b.test[1])))
}

func dialBlinding(test [2]string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &blinding{conn.(*net.TCPConn), test}, nil
	}
}

// The checker finds a script that lacks one of its tests. Each process has one client, so
// that none can be to blame alone.
func TestCAS_Sabotage(t *testing.T) {
	t.Parallel()
	for name, test := range blindness {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, test[0], len(test[1]))
			s := startRedis(t)
			f := newCASFixture(t, casSetting{Clients: 1, Blindness: name}, s.Addr, s.Addr, s.Addr)
			found := 0
			for range casRounds {
				if !f.round(t, nil).explained() {
					found++
				}
			}
			t.Logf("%d of %d histories have no explanation", found, casRounds)
			assert.NotZero(t, found, "the checker has found every history linearizable")
		})
	}
}

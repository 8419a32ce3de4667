package redis_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// cutServer is a server behind a network that can be cut.
type cutServer struct {
	*cut
	server *server.Redis
	others int // connections of the server that do not go through the cut
}

// startCut starts a server. Connections of the test's own must be open before the first
// one goes through the cut: the caller then counts them with countOthers.
func startCut(t *testing.T) *cutServer {
	t.Helper()
	s := startRedis(t)
	return &cutServer{cut: newCut(s.Addr), server: s}
}

func (s *cutServer) countOthers(t *testing.T) {
	t.Helper()
	s.others = s.connected(t)
}

// connected returns how many connections the server has.
func (s *cutServer) connected(t *testing.T) int {
	t.Helper()
	info, err := s.server.Admin.Info(t.Context(), "clients").Result()
	require.NoError(t, err)
	_, rest, _ := strings.Cut(info, "connected_clients:")
	text, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// settle returns when the server has executed all that has reached it: it has seen that
// the connections are closed that the cut has closed.
func (s *cutServer) settle(t *testing.T) {
	t.Helper()
	for s.connected(t) != s.others+s.connections() {
		require.NoError(t, t.Context().Err())
	}
}

// Package redisd runs a Redis for a comparison, on a port of its own.
package redisd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNone says that there is no Redis to run.
var ErrNone = errors.New("redisd: there is no redis-server in the path")

// startTimeout is how long a server may take to answer for the first time.
const startTimeout = 10 * time.Second

// Server is a Redis that keeps nothing on disk. It listens on the loopback
// interface only.
type Server struct {
	Addr    string
	Client  *redis.Client
	Version string

	process *exec.Cmd
	dir     string
}

// Start runs a server. It returns ErrNone when the machine has none.
func Start(ctx context.Context) (*Server, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNone
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir}
	var output bytes.Buffer
	// The server outlives the context of its start; Stop ends it.
	s.process = exec.CommandContext(context.WithoutCancel(ctx), path, //nolint:gosec // found in the path
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--save", "", "--appendonly", "no", "--dir", dir)
	s.process.Stdout, s.process.Stderr = &output, &output
	if err := s.process.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s.Client = redis.NewClient(&redis.Options{Addr: s.Addr})
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("redisd: %w: %s", err, output.String())
	}
	return s, nil
}

// freePort returns a port that was free a moment ago.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		info, err := s.Client.Info(ctx, "server").Result()
		if err == nil {
			_, rest, _ := strings.Cut(info, "redis_version:")
			s.Version, _, _ = strings.Cut(rest, "\r\n")
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Stop ends the server and waits for it.
func (s *Server) Stop() {
	_ = s.Client.Close()
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	_ = os.RemoveAll(s.dir)
}

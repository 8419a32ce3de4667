package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	redisProgram = "redis-server"
	redisHost    = "127.0.0.1"
	redisTimeout = 10 * time.Second // for one command of administration
)

// AdminName is what the connections of [Redis.Admin] are called in the server's
// list of clients.
const AdminName = "admin"

// Redis is a Redis server on the loopback interface, on a port of its own. It
// keeps nothing on disk unless its arguments say so. Its methods may not be
// called concurrently.
type Redis struct {
	Addr    string
	Port    int
	Version string

	// Admin is a client for administration. A test should give what it tests a
	// client of its own, so that faults do not meet this one.
	Admin *redis.Client

	process *Process
	dir     string
	args    []string
}

// StartRedis runs a server with options like those of its configuration file,
// each beginning with two dashes, and waits until it answers. It returns
// [ErrMissing] when there is none to run.
func StartRedis(ctx context.Context, args ...string) (*Redis, error) {
	return onFreePort(ctx, func(port int) (*Redis, error) {
		return startRedis(ctx, port, append(ephemeral(), args...))
	})
}

// onFreePort starts a server, and again on another port when the port was taken
// after it was found free.
func onFreePort(ctx context.Context, start func(port int) (*Redis, error)) (*Redis, error) {
	for attempt := 1; ; attempt++ {
		ports, err := FreePorts(ctx, 1)
		if err != nil {
			return nil, err
		}
		r, err := start(ports[0])
		if err == nil || attempt == startAttempts || !portTaken(err) {
			return r, err
		}
	}
}

// errOtherServer says that the server which answers is another one.
var errOtherServer = errors.New("the port has another server")

// portTaken reports whether a server could not start because its port was taken.
func portTaken(err error) bool {
	return errors.Is(err, errOtherServer) || strings.Contains(err.Error(), "Address already in use")
}

// ephemeral are the options of a server that keeps nothing on disk, and does not
// let a replica wait for others.
func ephemeral() []string {
	return []string{"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"}
}

// StartReplica runs a server that follows another, and waits until it is in step.
func StartReplica(ctx context.Context, of *Redis, args ...string) (*Redis, error) {
	r, err := StartRedis(ctx, append([]string{"--replicaof", redisHost, strconv.Itoa(of.Port)}, args...)...)
	if err != nil {
		return nil, err
	}
	if err := r.awaitLink(ctx); err != nil {
		r.Stop()
		return nil, err
	}
	return r, nil
}

// StartSentinel runs a sentinel that watches a server under a name, and lets a
// replica of it take over when it has not answered for the time given.
func StartSentinel(ctx context.Context, name string, of *Redis, downAfter time.Duration) (*Redis, error) {
	// A sentinel writes what it finds out into its configuration.
	config := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]d 1\n"+
		"sentinel down-after-milliseconds %[1]s %[4]d\n"+
		"sentinel failover-timeout %[1]s %[5]d\n",
		name, redisHost, of.Port, downAfter.Milliseconds(), 4*downAfter.Milliseconds())
	return onFreePort(ctx, func(port int) (*Redis, error) {
		dir, err := os.MkdirTemp("", "sentinel")
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, "sentinel.conf")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		return runRedis(ctx, port, dir, []string{file, "--sentinel"})
	})
}

func startRedis(ctx context.Context, port int, args []string) (*Redis, error) {
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		return nil, err
	}
	return runRedis(ctx, port, dir, args)
}

func runRedis(ctx context.Context, port int, dir string, args []string) (*Redis, error) {
	r := &Redis{Addr: net.JoinHostPort(redisHost, strconv.Itoa(port)), Port: port, dir: dir}
	r.args = slices.Concat(args, []string{"--bind", redisHost, "--port", strconv.Itoa(port), "--dir", dir})
	r.Admin = redis.NewClient(&redis.Options{
		Addr: r.Addr, ClientName: AdminName, DialerRetries: 1, ReadTimeout: redisTimeout, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Admin.Close(), os.RemoveAll(dir))
	}
	return r, nil
}

func (r *Redis) start(ctx context.Context) error {
	var info string
	process, err := Start(ctx, Config{
		Program: redisProgram, Args: r.args, Dir: r.dir,
		Ready: func(ctx context.Context) (err error) {
			info, err = r.ask(ctx)
			return err
		},
	})
	if err != nil {
		return err
	}
	if pid := InfoField(info, "process_id"); pid != strconv.Itoa(process.PID()) {
		process.Kill()
		return fmt.Errorf("server: port %d: %w", r.Port, errOtherServer)
	}
	r.process, r.Version = process, InfoField(info, "redis_version")
	return nil
}

// ask looks for the port first, because the client complains in the log of each
// dial that was refused.
func (r *Redis) ask(ctx context.Context) (info string, err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", r.Addr)
	if err != nil {
		return "", err
	}
	if err := conn.Close(); err != nil {
		return "", err
	}
	// A server that loads its data answers INFO, though not this.
	if err := r.Admin.Ping(ctx).Err(); err != nil {
		return "", err
	}
	return r.Admin.Info(ctx, "server").Result()
}

// InfoField returns a field of what the command INFO has answered.
func InfoField(info, name string) string {
	_, rest, _ := strings.Cut(info, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// awaitLink waits until a replica is in step with its master.
func (r *Redis) awaitLink(ctx context.Context) error {
	return r.process.await(ctx, func(ctx context.Context) error {
		info, err := r.Admin.Info(ctx, "replication").Result()
		if err != nil {
			return err
		}
		if status := InfoField(info, "master_link_status"); status != "up" {
			return fmt.Errorf("server: the replica's link to its master is %q", status)
		}
		return nil
	})
}

// PID returns the id of the process that runs now.
func (r *Redis) PID() int { return r.process.PID() }

// Output returns the last of what the server has printed.
func (r *Redis) Output() string { return r.process.Output() }

// Pause stops the server as SIGSTOP does.
func (r *Redis) Pause() error { return r.process.Pause() }

// Continue lets a server that is paused go on.
func (r *Redis) Continue() error { return r.process.Continue() }

// Kill ends the server as kill -9 does, and waits for it. What it has on disk
// stays, for Restart.
func (r *Redis) Kill() { r.process.Kill() }

// Restart kills the server if it runs, and starts it again on the same port, with
// what it has on disk.
func (r *Redis) Restart(ctx context.Context) error {
	r.Kill()
	return r.start(ctx)
}

// RestartEmpty is Restart without anything on disk.
func (r *Redis) RestartEmpty(ctx context.Context) error {
	r.Kill()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(r.dir, e.Name())); err != nil {
			return err
		}
	}
	return r.start(ctx)
}

// Stop ends the server, waits for it, and removes its files.
func (r *Redis) Stop() {
	_ = r.Admin.Close()
	r.process.Kill() // it has nothing to save
	_ = os.RemoveAll(r.dir)
}

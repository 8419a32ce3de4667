package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second       // until a server answers for the first time
	stopTimeout  = 10 * time.Second       // until a server that was asked to end has ended
	pollInterval = 20 * time.Millisecond  // between two questions whether a server answers
	errorTimeout = 500 * time.Millisecond // for one such question
)

// ErrMissing says that a server's program is not installed.
var ErrMissing = errors.New("not installed; run make e2e-setup")

// Config says which program to run, and how to know that it serves.
type Config struct {
	Program string   // a name in the path, or a path
	Args    []string // without the program's name
	Env     []string // added to this process's own
	Dir     string   // where it runs; it is the caller's to remove
	// Ready returns nil once the server answers. It is asked again and again.
	Ready func(ctx context.Context) error
}

// Process is a server that runs. Its methods may not be called concurrently,
// except Output.
type Process struct {
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed once the process has ended
	paused bool
}

// Start runs a program and waits until it is ready. The process outlives ctx,
// which limits the wait alone; Stop or Kill ends it. When the program ends by
// itself, or does not get ready in time, the error has what it has printed.
func Start(ctx context.Context, config Config) (*Process, error) {
	path, err := exec.LookPath(config.Program)
	if err != nil {
		return nil, fmt.Errorf("server: %s: %w", config.Program, ErrMissing)
	}
	p := &Process{output: &output{}, exited: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), path, config.Args...) //nolint:gosec // the tests' own programs
	p.cmd.Dir = config.Dir
	p.cmd.Env = append(os.Environ(), config.Env...)
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("server: %s: %w", config.Program, err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // a server that was killed has no status worth knowing
	}()
	if err := p.await(ctx, config.Ready); err != nil {
		p.Kill()
		return nil, fmt.Errorf("server: %s does not serve: %w; it printed:\n%s", config.Program, err, p.Output())
	}
	return p, nil
}

// await asks until the server is ready.
func (p *Process) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := ask(ctx, ready)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return err
		case <-ticker.C:
		}
	}
}

func ask(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, errorTimeout)
	defer cancel()
	return ready(ctx)
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output returns the last of what the server has printed.
func (p *Process) Output() string { return p.output.String() }

// Pause stops the process as SIGSTOP does: its connections stay open, and nothing
// answers on them.
func (p *Process) Pause() error {
	p.paused = true
	return p.cmd.Process.Signal(syscall.SIGSTOP)
}

// Continue lets a process that is paused go on.
func (p *Process) Continue() error {
	p.paused = false
	return p.cmd.Process.Signal(syscall.SIGCONT)
}

// Kill ends the process at once, as kill -9 does, and waits for it.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Stop asks the process to end and waits for it. It kills one that takes longer
// than ten seconds. To stop a process that has ended does nothing.
func (p *Process) Stop() {
	if p.paused {
		_ = p.Continue()
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.Kill()
	}
}

// FreePorts returns n ports of the loopback interface that were free a moment
// ago, each different. They are below those that the system gives to outgoing
// connections, so that a server which is started again finds its port free.
func FreePorts(ctx context.Context, n int) ([]int, error) {
	const (
		first, last = 12_000, 32_000
		attempts    = 1000
	)
	var config net.ListenConfig
	var held []net.Listener // until all are found, so that they differ
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	ports := make([]int, 0, n)
	for range attempts {
		if len(ports) == n {
			return ports, nil
		}
		port := first + rand.IntN(last-first) //nolint:gosec // any port will do
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	return nil, errors.New("server: there are no free ports")
}

package redis_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// casSetting is what a process of calls is told at first.
type casSetting struct {
	Addr      string
	Process   int
	Clients   int
	Blindness string // a name of blindness, or ""
}

// casRound is what it is told to do next.
type casRound struct {
	Keys []string
	Seed uint64
}

// casProcess is a process that makes calls, seen from outside.
type casProcess struct {
	rounds    *json.Encoder
	histories *json.Decoder
}

// startCASProcess starts a process that ends with the test.
func startCASProcess(t *testing.T, s casSetting) *casProcess {
	t.Helper()
	ctx, kill := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(kill)
	cmd, err := command(ctx, "caller", s)
	require.NoError(t, err)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		defer time.AfterFunc(2*patience, kill).Stop()
		assert.NoError(t, stdin.Close())
		assert.NoError(t, cmd.Wait(), "a process: %s", &stderr)
	})
	return &casProcess{json.NewEncoder(stdin), json.NewDecoder(stdout)}
}

// runCaller is the program of a process that makes random calls. It reads rounds from its
// standard input, and prints the history of each.
func runCaller(ctx context.Context, setting []byte) (err error) {
	var s casSetting
	if err := json.Unmarshal(setting, &s); err != nil {
		return err
	}
	client := redis.NewClient(casOptions(s))
	defer func() { err = errors.Join(err, client.Close()) }()
	cache, err := openLoggedCache(client, backends.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.close(ctx)) }()
	clients := make([]*casClient, s.Clients)
	for i := range clients {
		clients[i] = &casClient{cache: cache.Cache, process: s.Process, id: i}
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var round casRound
		if err := in.Decode(&round); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		history, err := round.run(ctx, clients)
		if err != nil {
			return err
		}
		if err := out.Encode(history); err != nil {
			return err
		}
	}
}

// run has clients of one process make random calls.
func (r casRound) run(ctx context.Context, clients []*casClient) (history casHistory, err error) {
	var wg sync.WaitGroup
	failures := make([]error, len(clients))
	for i, c := range clients {
		wg.Go(func() { failures[i] = c.random(ctx, r) })
	}
	wg.Wait()
	for _, c := range clients {
		history = append(history, c.history...)
	}
	return history, errors.Join(failures...)
}

// casAttempts is how often a call of a client may be made again by itself: by go-redis
// never, and by the backend where nothing was executed.
const casAttempts = 2

func casOptions(s casSetting) *redis.Options {
	o := clientOptions(s.Addr)
	o.MaxRetries, o.MaxRetryBackoff, o.DialTimeout = casAttempts, 10*time.Millisecond, patience
	if test, ok := blindness[s.Blindness]; ok {
		o.Dialer = dialBlinding(test)
	}
	return o
}

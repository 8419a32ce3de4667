package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// Three instances share the database, each with a port and a log of its own, and end
// together.
func TestRun_Instances(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	logs, exited, redis := new(logBuffer), make(chan int, 1), nobody(t)
	go func() {
		exited <- run(ctx, []string{
			"-instances", "3", "-listen", "127.0.0.1:0", "-metrics-listen", "127.0.0.1:0",
			"-redis", redis, "-database-delay", "1ms", "-write-timeout", "100ms",
		}, noEnv, new(bytes.Buffer), logs)
	}()
	instances := make(map[float64]*started)
	await(t, "all listen", func() bool {
		for _, r := range logs.all(t, "listening") {
			instances[r["instance"].(float64)] = &started{url: "http://" + r["addr"].(string)}
		}
		return len(instances) == 3
	})
	status, _ := instances[1].send(t, "PUT", "/users/new", `{"name":"Ada"}`)
	assert.Equal(t, http.StatusOK, status)
	_, answer := instances[3].send(t, "GET", "/users/new", "")
	assert.Contains(t, answer, `"name":"Ada"`)

	stop()
	select {
	case code := <-exited:
		assert.Equal(t, statusOK, code)
	case <-time.After(20 * time.Second):
		require.FailNow(t, "they did not end")
	}
	assert.Len(t, logs.all(t, "shutdown: waited for the telemetry"), 3)
}

func TestNextPort(t *testing.T) {
	t.Parallel()
	opts := options{listen: "localhost:8080", metricsListen: ":8081"}.ofInstance(2)
	assert.Equal(t, "localhost:8100", opts.listen)
	assert.Equal(t, ":8101", opts.metricsListen)
	opts = options{listen: "127.0.0.1:0"}.ofInstance(2)
	assert.Equal(t, "127.0.0.1:0", opts.listen, "a free one")
	assert.Empty(t, opts.metricsListen)
}

// The fixture's L2 has a log, so L1 is coherent with other instances.
func TestStatus(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *options) { o.coherence = time.Minute })
	get := func() (got status) {
		w := f.do(t, "GET", "/status", "")
		assert.Equal(t, http.StatusOK, w.Code)
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		return got
	}
	got := get()
	assert.Equal(t, "lost", got.Coherence)
	assert.Equal(t, "joining", got.Cause)

	<-f.log.Watched()
	require.True(t, f.log.Sync())
	got = get()
	assert.Equal(t, "trusted", got.Coherence)
	assert.Empty(t, got.Cause)
	assert.NotEmpty(t, got.SyncedAge)
	assert.Zero(t, got.Losses)

	f.log.Lose(backends.LossTrimmed)
	got = get()
	assert.Equal(t, "lost", got.Coherence)
	assert.Equal(t, "trimmed", got.Cause)
	assert.EqualValues(t, 1, got.Losses)
	assert.Equal(t, http.StatusNotFound, f.do(t, "POST", "/faults/cut", "").Code, "only with -faults")

	off := newFixture(t)
	assert.JSONEq(t, `{"coherence":"off","losses":0,"repair":{"open":0,"closed":0,"dropped":0}}`, off.do(t, "GET", "/status", "").Body.String())
}

func TestFaults(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	f := newFixture(t, func(o *options) { o.faults = true })
	dial := func() (net.Conn, error) { return f.stores.link.dial(t.Context(), "tcp", l.Addr().String()) }

	conn, err := dial()
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, f.do(t, "POST", "/faults/cut", "").Code)
	_, err = conn.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = dial()
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Equal(t, http.StatusNoContent, f.do(t, "POST", "/faults/restore", "").Code)
	conn, err = dial()
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	assert.Empty(t, f.stores.link.conns, "it forgets those that are closed")
}

// all returns the records with that message.
func (b *logBuffer) all(t *testing.T, msg string) (records []record) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.buf.String()) {
		var r record
		if strings.HasSuffix(line, "\n") {
			require.NoError(t, json.Unmarshal([]byte(line), &r), line)
			if r["msg"] == msg {
				records = append(records, r)
			}
		}
	}
	return records
}

package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runProgram runs the program as main does, in a context that has ended: what gets as
// far as serving stops at once.
func runProgram(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	status = run(ctx, args, noEnv, &out, &errs)
	return status, out.String(), errs.String()
}

func TestRun_Help(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-h", "--help"} {
		status, stdout, stderr := runProgram(t, flag)
		assert.Equal(t, statusOK, status)
		assert.Equal(t, usage, stdout)
		assert.Empty(t, stderr)
	}
}

func TestRun_WrongFlags(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"unknown flag":          {[]string{"-nonsense"}, "-nonsense"},
		"argument":              {[]string{"serve"}, `unexpected argument "serve": there are only flags`},
		"no port":               {[]string{"-listen", "localhost"}, `-listen: "localhost" is not host:port`},
		"port is no number":     {[]string{"-listen", "localhost:http"}, `-listen: "localhost:http" has no valid port`},
		"metrics have no port":  {[]string{"-metrics-listen", "localhost"}, `-metrics-listen: "localhost" is not host:port`},
		"port too large":        {[]string{"-listen", ":65536"}, `-listen: ":65536" has no valid port`},
		"redis without port":    {[]string{"-redis", "redis"}, `-redis (or REDIS_ADDR): "redis" is not host:port`},
		"redis without host":    {[]string{"-redis", ":6379"}, `-redis (or REDIS_ADDR): ":6379" has no host`},
		"redis port 0":          {[]string{"-redis", "redis:0"}, `"redis:0" has no valid port`},
		"one of a cluster":      {[]string{"-redis", "a:1,b"}, `"b" is not host:port`},
		"folder of no use":      {[]string{"-redis", "a:1", "-dir", "x"}, "-dir is badger's folder, which is not used with -redis"},
		"no instance":           {[]string{"-redis", "a:1", "-instances", "0"}, "-instances is 0: it must be 1 to 20"},
		"ports end":             {[]string{"-redis", "a:1", "-instances", "2", "-listen", ":65530"}, "the ports of the last one"},
		"instances need Redis":  {[]string{"-instances", "2"}, "-instances and -faults need Redis"},
		"faults need Redis":     {[]string{"-faults"}, "-instances and -faults need Redis"},
		"bound too small":       {[]string{"-coherence", "1ms"}, "-coherence is 1ms: it must be 0 or at least 500ms"},
		"no room":               {[]string{"-l1-size", "0"}, "-l1-size is 0: it must be at least 1"},
		"no TTL":                {[]string{"-ttl", "0s"}, "-ttl is 0s: it must be positive"},
		"no time to write":      {[]string{"-write-timeout", "-1s"}, "-write-timeout is -1s: it must be positive"},
		"no time to shut down":  {[]string{"-shutdown-timeout", "0"}, "-shutdown-timeout is 0s: it must be positive"},
		"delay into the past":   {[]string{"-database-delay", "-1ms"}, "-database-delay is -1ms: it must not be negative"},
		"duration without unit": {[]string{"-ttl", "10"}, `invalid value "10" for flag -ttl`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runProgram(t, tt.args...)
			assert.Equal(t, statusUsage, status)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, "service: ")
			assert.Contains(t, stderr, tt.says)
			assert.Contains(t, stderr, "usage: service")
		})
	}
}

func TestParseOptions_Environment(t *testing.T) {
	t.Parallel()
	env := func(name string) string { return map[string]string{"REDIS_ADDR": "a:1,b:2"}[name] }

	opts, err := parseOptions(nil, env)
	require.NoError(t, err)
	assert.Equal(t, []string{"a:1", "b:2"}, opts.redis)

	opts, err = parseOptions([]string{"-redis", "c:3"}, env)
	require.NoError(t, err)
	assert.Equal(t, []string{"c:3"}, opts.redis)

	opts, err = parseOptions([]string{"-redis", ""}, env)
	require.NoError(t, err)
	assert.Empty(t, opts.redis)
}

func TestRun_PortInUse(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()

	var out bytes.Buffer
	for _, args := range [][]string{
		{"-listen", l.Addr().String()},
		{"-listen", "127.0.0.1:0", "-metrics-listen", l.Addr().String()},
	} {
		logs := new(logBuffer)
		assert.Equal(t, statusFailed, run(t.Context(), args, noEnv, &out, logs))
		assert.Contains(t, logs.must(t, "the service has failed")["error"], "address already in use")
	}
}

// The program from start to end, over badger.
func TestRun_Badger(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := start(t, "-database-delay", "1ms")
	assert.Equal(t, "badger", s.logs.must(t, "listening")["l2"])
	_, ok := s.logs.find(t, "traces are not exported: set OTEL_EXPORTER_OTLP_ENDPOINT, for instance to http://localhost:4318")
	assert.True(t, ok)

	for _, step := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/healthz", "", 200, "ok\n"},
		{"GET", "/users/42", "", 200, `{"id":"42","name":"User 42"}` + "\n"},
		{"PUT", "/users/42", `{"name":"Ada"}`, 200, `{"id":"42","name":"Ada"}` + "\n"},
		{"GET", "/users/42", "", 200, `{"id":"42","name":"Ada"}` + "\n"},
		{"DELETE", "/users/42", "", 204, ""},
		{"GET", "/metrics/", "", 404, `{"error":"there is nothing here: GET, PUT or DELETE /users/{id}"}` + "\n"},
		{"GET", "/users/42", "", 404, `{"error":"there is no such user"}` + "\n"},
	} {
		status, answer := s.send(t, step.method, step.path, step.body)
		assert.Equal(t, step.status, status, step)
		assert.Equal(t, step.answer, answer, step)
	}

	assert.Equal(t, statusOK, s.end(t))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "the temporary folder is removed")
}

// What a folder has outlives the service.
func TestRun_KeepsItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, "-dir", dir)
	assert.Equal(t, http.StatusOK, s.status(t, "/users/1"))
	require.Equal(t, statusOK, s.end(t))

	s = start(t, "-dir", dir, "-database-delay", "1h")
	assert.Equal(t, http.StatusOK, s.status(t, "/users/1"), "from badger")
	assert.Equal(t, statusOK, s.end(t))
}

// Nobody listens where Redis should be: the service starts, answers, and ends.
func TestRun_WithoutRedis(t *testing.T) {
	t.Parallel()
	s := start(t, "-redis", nobody(t), "-database-delay", "1ms")
	assert.Equal(t, "WARN", s.logs.must(t, "Redis does not answer: the service starts without it")["level"])
	assert.Equal(t, http.StatusOK, s.status(t, "/healthz"))
	assert.Equal(t, http.StatusOK, s.status(t, "/users/7"))
	begun := time.Now()
	assert.Equal(t, statusOK, s.end(t))
	assert.Less(t, time.Since(begun), 5*time.Second, "a repair that cannot succeed does not hold it up")
}

// nobody returns an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

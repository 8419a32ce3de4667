package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// TestMain fails when a library has complained: nothing here loses telemetry.
func TestMain(m *testing.M) {
	complaints := new(logBuffer)
	logLibraries(newLogger(complaints))
	status := m.Run()
	if complaints.buf.Len() > 0 {
		fmt.Fprintf(os.Stderr, "libraries have complained:\n%s", complaints.buf.String())
		status = 1
	}
	os.Exit(status)
}

// fixture is a service without a network: its handler is called, and its L2 is a map
// that fails as a test asks.
type fixture struct {
	*server
	l2     *backendtest.Faults[[]byte]
	log    *backendtest.Client[[]byte] // behind it; its Sync tells of the changes in L2
	others *backendtest.Client[[]byte] // that of another instance
	spans  *tracetest.InMemoryExporter
	logs   *logBuffer
}

// newFixture makes a fixture that is shut down at the end of the test. It does not follow
// the changes of others unless the test says so.
func newFixture(t *testing.T, change ...func(o *options)) *fixture {
	t.Helper()
	shared := backendtest.NewStore[[]byte]()
	store := shared.Client()
	desc := store.Describe()
	desc.System = "map"
	l2 := backendtest.WithFaults[[]byte](store).Described(desc)
	change = append([]func(o *options){func(o *options) { o.coherence = 0 }}, change...)
	f := newFixtureOver(t, func(opts options, tel *telemetry) (*stores, error) {
		s, err := openStores(t.Context(), opts, tel)
		if err != nil {
			return nil, err
		}
		if err := s.closeL2(); err != nil {
			return nil, err
		}
		s.l2, s.closeL2 = l2, func() error { return nil }
		return s, nil
	}, change...)
	f.l2, f.log, f.others = l2, store, shared.Client()
	return f
}

func newFixtureOver(t *testing.T, open func(opts options, tel *telemetry) (*stores, error), change ...func(o *options)) *fixture {
	t.Helper()
	opts, err := parseOptions(nil, noEnv)
	require.NoError(t, err)
	for _, c := range change {
		c(&opts)
	}
	f := &fixture{spans: tracetest.NewInMemoryExporter(), logs: new(logBuffer)}
	tel, err := newTelemetry(t.Context(), sdktrace.NewSimpleSpanProcessor(f.spans), newLogger(f.logs))
	require.NoError(t, err)
	s, err := open(opts, tel)
	require.NoError(t, err)
	f.server, err = newServer(opts, s, tel)
	require.NoError(t, err)
	t.Cleanup(func() {
		err := f.shutdown(context.WithoutCancel(t.Context()))
		if !errors.Is(err, sdkmetric.ErrReaderShutdown) { // the test has done it
			require.NoError(t, err)
		}
	})
	return f
}

func noEnv(string) string { return "" }

func newRequest(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
}

// serve gives a request to the handler of its path.
func (f *fixture) serve(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if path := req.URL.Path; path == "/metrics" || path == "/status" || strings.HasPrefix(path, "/faults/") {
		f.scrape.Handler.ServeHTTP(w, req)
		return w
	}
	f.http.Handler.ServeHTTP(w, req)
	return w
}

func (f *fixture) do(t *testing.T, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	return f.serve(newRequest(t, method, path, body))
}

// stored returns what L2 has of user 7, whom the tests write, without the version.
func (f *fixture) stored(t *testing.T) string {
	t.Helper()
	entry, ok, err := f.l2.Get(t.Context(), "7")
	require.NoError(t, err)
	if !ok {
		return ""
	}
	text, _, found := strings.Cut(string(entry.Value), `,"version":`)
	require.True(t, found, string(entry.Value))
	return text + "}"
}

// another returns another instance of the service, over the same database and the same
// L2.
func (f *fixture) another(t *testing.T) *users {
	t.Helper()
	tel, err := newTelemetry(t.Context(), nil, newLogger(new(logBuffer)))
	require.NoError(t, err)
	l1, err := otterbackend.New[user]()
	require.NoError(t, err)
	u, err := newUsers(f.opts, l1, f.l2, tel)
	require.NoError(t, err)
	u.db = f.users.db
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, errors.Join(u.cache.Close(ctx), l1.Close(), tel.shutdown(ctx)))
	})
	return u
}

// spansNamed returns the spans of a name that have ended.
func spansNamed(f *fixture, name string) (found tracetest.SpanStubs) {
	for _, s := range f.spans.GetSpans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// logBuffer keeps the log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// record is a line of the log.
type record map[string]any

// find returns the first record with that message.
func (b *logBuffer) find(t *testing.T, msg string) (record, bool) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.buf.String()) {
		if !strings.HasSuffix(line, "\n") {
			break // it is being written
		}
		var r record
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		if r[slog.MessageKey] == msg {
			return r, true
		}
	}
	return nil, false
}

// must is find for a record that is there.
func (b *logBuffer) must(t *testing.T, msg string) record {
	t.Helper()
	r, ok := b.find(t, msg)
	require.True(t, ok, "the log has no %q", msg)
	return r
}

// await waits until something real has happened.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, 10*time.Second, 5*time.Millisecond, what)
}

// started is the program while it runs.
type started struct {
	url    string
	scrape string
	logs   *logBuffer
	stop   func()
	exited <-chan int
}

// start runs the program on a free port until it listens.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	status := make(chan int, 1)
	s := &started{logs: new(logBuffer), stop: stop, exited: status}
	go func() {
		status <- run(ctx, append([]string{"-listen", "127.0.0.1:0", "-metrics-listen", "127.0.0.1:0"}, args...), noEnv, new(bytes.Buffer), s.logs)
	}()
	await(t, "it listens", func() bool {
		r, ok := s.logs.find(t, "listening")
		if ok {
			s.url = "http://" + r["addr"].(string)
			s.scrape = "http://" + r["metrics"].(string) + "/metrics"
		}
		return ok
	})
	return s
}

// end stops the program, as a signal does, and returns its exit status.
func (s *started) end(t *testing.T) int {
	t.Helper()
	s.stop()
	select {
	case status := <-s.exited:
		return status
	case <-time.After(20 * time.Second):
		require.FailNow(t, "it did not end")
		return -1
	}
}

// send sends a request over the network.
func (s *started) send(t *testing.T, method, path, body string) (status int, answer string) {
	t.Helper()
	url := s.url + path
	if path == "/metrics" {
		url = s.scrape
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(data)
}

// status gets a path, and returns the status of the answer.
func (s *started) status(t *testing.T, path string) int {
	t.Helper()
	status, _ := s.send(t, "GET", path, "")
	return status
}

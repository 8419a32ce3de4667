package rueidisbackend_test

import (
	"strconv"
	"testing"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]rueidisbackend.Option{
		"with a header":         nil,
		"raw":                   {rueidisbackend.WithRawValues()},
		"with a prefix":         {rueidisbackend.WithKeyPrefix("shop:")},
		"raw and with a prefix": {rueidisbackend.WithRawValues(), rueidisbackend.WithKeyPrefix("\x00")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[[]byte]{
				New: func(t *testing.T) backends.Backend[[]byte] {
					t.Helper()
					return newServer(t).backend(t, opts...)
				},
				Value:  func(i int) []byte { return []byte(strconv.Itoa(i)) },
				Bubble: true,
			}.Run(t)
		})
	}
}

// The same over real connections, without a proxy between, by the pipeline alone and with
// calls that wait for their answer themselves.
func TestSuite_OverTCP(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"always by the pipeline": true, "as it comes": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[[]byte]{
				New: func(t *testing.T) backends.Backend[[]byte] {
					t.Helper()
					s := newServer(t)
					if err := s.Start(); err != nil {
						t.Fatal(err)
					}
					client, err := rueidis.NewClient(rueidis.ClientOption{
						InitAddress: []string{s.Addr()}, DisableCache: true, ForceSingleClient: true, AlwaysPipelining: always,
					})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(client.Close)
					return newBackend(t, client)
				},
				Value: func(i int) []byte { return []byte(strconv.Itoa(i)) },
			}.Run(t)
		})
	}
}

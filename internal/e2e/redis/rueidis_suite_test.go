package redis_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// rueidisDeployments are the same for clients of rueidis.
var rueidisDeployments = map[string]func(t *testing.T) (rueidis.Client, []*server.Redis){
	"single": func(t *testing.T) (rueidis.Client, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return newRueidis(t, rueidis.ClientOption{InitAddress: []string{s.Addr}}), []*server.Redis{s}
	},
	"single, as it comes": func(t *testing.T) (rueidis.Client, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr}})
		require.NoError(t, err)
		t.Cleanup(client.Close)
		return client, []*server.Redis{s}
	},
	"single, RESP2": func(t *testing.T) (rueidis.Client, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return newRueidis(t, rueidis.ClientOption{InitAddress: []string{s.Addr}, AlwaysRESP2: true}), []*server.Redis{s}
	},
	"sentinel": func(t *testing.T) (rueidis.Client, []*server.Redis) {
		t.Helper()
		s := startRedis(t)
		return newRueidis(t, rueidis.ClientOption{
			InitAddress: []string{startSentinel(t, s).Addr}, Sentinel: rueidis.SentinelOption{MasterSet: masterName},
		}), []*server.Redis{s}
	},
	"cluster": func(t *testing.T) (rueidis.Client, []*server.Redis) {
		t.Helper()
		c := startCluster(t, false)
		return newRueidis(t, rueidis.ClientOption{InitAddress: c.Addrs()}), c.Masters
	},
}

// newRueidis returns a client that always uses its pipeline.
func newRueidis(tb testing.TB, o rueidis.ClientOption) rueidis.Client {
	tb.Helper()
	o.DisableCache, o.AlwaysPipelining = true, true
	client, err := rueidis.NewClient(o)
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	return client
}

func TestRueidis_Suite(t *testing.T) {
	t.Parallel()
	for name, deploy := range rueidisDeployments {
		for format, opts := range map[string][]rueidisbackend.Option{
			"with a header": {rueidisbackend.WithoutKeyPrefix()},
			"with a log":    {rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithLog()},
			"raw":           {rueidisbackend.WithoutKeyPrefix(), rueidisbackend.WithRawValues()},
		} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				client, servers := deploy(t)
				backendtest.Suite[[]byte]{
					New: func(t *testing.T) backends.Backend[[]byte] {
						t.Helper()
						for _, s := range servers {
							require.NoError(t, s.Admin.FlushAll(context.WithoutCancel(t.Context())).Err())
						}
						b, err := rueidisbackend.New(client, opts...)
						require.NoError(t, err)
						if format == "raw" {
							return newRawStore(b)
						}
						return b
					},
					Value:     func(i int) []byte { return []byte(strconv.Itoa(i)) },
					Precision: precisionOf(format),
				}.Run(t)
			})
		}
	}
}

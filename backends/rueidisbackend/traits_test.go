package rueidisbackend_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

func TestNew_Errors(t *testing.T) {
	t.Parallel()
	_, err := rueidisbackend.New(nil)
	require.ErrorIs(t, err, rueidisbackend.ErrNilClient)
	synctest.Test(t, func(t *testing.T) {
		client := newServer(t).client(t, nil)
		_, err := rueidisbackend.New(client)
		require.ErrorIs(t, err, rueidisbackend.ErrNoKeyPrefix)
		for want, opts := range map[string][]rueidisbackend.Option{
			"the number of retries is -1": {rueidisbackend.WithRetries(-1)},
			"1025 bytes":                  {rueidisbackend.WithKeyPrefix(strings.Repeat("p", 1025))},
			"empty":                       {rueidisbackend.WithKeyPrefix("")},
			"both":                        {rueidisbackend.WithKeyPrefix("a"), rueidisbackend.WithoutKeyPrefix()},
			"need WithLog":                {rueidisbackend.WithLogPartitions(2)},
			"1 to 1024":                   {rueidisbackend.WithLog(), rueidisbackend.WithLogPartitions(0)},
			"100 to 100000000":            {rueidisbackend.WithLog(), rueidisbackend.WithLogLength(99)},
			"exclude each other":          {rueidisbackend.WithLog(), rueidisbackend.WithRawValues()},
			"contains {}":                 {rueidisbackend.WithLog(), rueidisbackend.WithKeyPrefix("a{}")},
		} {
			_, err := rueidisbackend.New(client, opts...)
			require.ErrorIs(t, err, rueidisbackend.ErrBadOption, want)
			require.ErrorContains(t, err, want)
		}
		b, err := rueidisbackend.New(client, nil, rueidisbackend.WithClock(nil), rueidisbackend.WithoutKeyPrefix())
		require.NoError(t, err)
		assert.NotNil(t, b)
	})
}

// A type of client that rueidis has; sentinels are in the tests with real servers.
var clients = map[string]func(o *rueidis.ClientOption){
	"single":  func(*rueidis.ClientOption) {},
	"cluster": func(o *rueidis.ClientOption) { o.ForceSingleClient = false },
	"redirected": func(o *rueidis.ClientOption) {
		o.ForceSingleClient, o.Standalone.EnableRedirect = false, true
	},
}

// Clients do not tell their options. This holds each release of rueidis to the fields in
// which they are found.
func TestNew_Dangers(t *testing.T) {
	t.Parallel()
	toReplicas := func(rueidis.Completed) bool { return true }
	for name, test := range map[string]struct {
		change func(o *rueidis.ClientOption)
		of     []string
		want   error
	}{
		"nothing":  {func(*rueidis.ClientOption) {}, []string{"single", "cluster", "redirected"}, nil},
		"lifetime": {func(o *rueidis.ClientOption) { o.ConnLifetime = time.Hour }, []string{"single", "cluster", "redirected"}, rueidisbackend.ErrConnLifetime},
		"replicas": {func(o *rueidis.ClientOption) { o.SendToReplicas = toReplicas }, []string{"cluster"}, rueidisbackend.ErrReplicaReads},
		"replicas only": {
			func(o *rueidis.ClientOption) { o.ReplicaOnly = true }, []string{"cluster"}, rueidisbackend.ErrReplicaReads,
		},
		"replicas of a single server": {func(o *rueidis.ClientOption) {
			o.ForceSingleClient, o.SendToReplicas = false, toReplicas
			o.Standalone.ReplicaAddress = []string{"replica.example:6379"}
		}, []string{"single"}, rueidisbackend.ErrReplicaReads},
	} {
		for _, of := range test.of {
			t.Run(name+"/"+of, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				require.NoError(t, s.Start()) // a cluster is told of its address
				client := s.client(t, func(o *rueidis.ClientOption) {
					clients[of](o)
					test.change(o)
				})
				_, err := rueidisbackend.New(client, rueidisbackend.WithoutKeyPrefix())
				require.ErrorIs(t, err, test.want)
				hooked := failing{&failing{client, nil}, nil}
				_, err = rueidisbackend.New(hooked, rueidisbackend.WithoutKeyPrefix())
				require.ErrorIs(t, err, test.want, "within others")
			})
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newServer(t).client(t, nil)
		want := backends.Description{
			System: "redis", ServerAddress: "redis.example", ServerPort: 6379,
			GetOperation: "GET", SetOperation: "SET", DeleteOperation: "DEL",
			Abilities: backends.Abilities{Batches: true},
		}
		assert.Equal(t, want, newBackend(t, client).Describe())
		want.Instrumented = true
		assert.Equal(t, want, newBackend(t, client, rueidisbackend.WithInstrumentedClient()).Describe())
		want.SetOperation, want.DeleteOperation = "EVALSHA", "EVALSHA"
		want.Abilities.Versions, want.Abilities.Deadlines, want.Abilities.Log = true, true, true
		assert.Equal(t, want, newBackend(t, client, rueidisbackend.WithInstrumentedClient(), rueidisbackend.WithLog()).Describe())
	})
}

// Without a log there are no versions, and nothing pretends that there are.
func TestWithoutLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newServer(t).backend(t)
		_, err := b.Write(t.Context(), &backends.Write[[]byte]{Key: "k"})
		require.ErrorIs(t, err, backends.ErrUnsupported)
		_, _, err = b.GetIf(t.Context(), "k", 1)
		require.ErrorIs(t, err, backends.ErrUnsupported)
		require.ErrorIs(t, b.Watch(t.Context(), nil), backends.ErrUnsupported)
		_, _, ok := b.StoreTime()
		assert.False(t, ok)
		assert.Zero(t, b.Seen("k"))
	})
}

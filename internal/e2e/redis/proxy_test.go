package redis_test

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// The directions of a toxic: of commands, and of answers.
const (
	upstream   = "upstream"
	downstream = "downstream"
)

// proxy is a network between a client and a server that can be made to fail.
type proxy struct{ *toxiproxy.Proxy }

func newProxy(tb testing.TB, addr string) *proxy {
	tb.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	var p *proxy
	eventually(tb, "the proxy has a port", func(ctx context.Context) error {
		ports, err := server.FreePorts(ctx, 1) // one that it finds again after it was stopped
		if err != nil {
			return err
		}
		p = &proxy{toxiproxy.NewProxy(api, "redis", net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0])), addr)}
		return p.Start()
	})
	tb.Cleanup(p.Stop)
	return p
}

// toxin is something that goes wrong in one direction, for connections that exist
// and those to come, until the toxics are cleared.
type toxin struct {
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Toxicity   float32        `json:"toxicity"` // the part of connections that have it
	Attributes map[string]any `json:"attributes"`
}

func (x toxin) json() *strings.Reader {
	text, _ := json.Marshal(x) // maps of numbers
	return strings.NewReader(string(text))
}

func (p *proxy) add(tb testing.TB, kind, stream string, attributes map[string]any) {
	tb.Helper()
	_, err := p.Toxics.AddToxicJson(toxin{kind, stream, 1, attributes}.json())
	require.NoError(tb, err)
}

// prepareReset makes connections to come fit for a reset: toxiproxy decides when
// a connection begins whether it will end with one.
func (p *proxy) prepareReset(tb testing.TB, stream string) (reset func()) {
	tb.Helper()
	x := toxin{Type: "reset_peer", Stream: stream, Attributes: map[string]any{"timeout": 0}}
	added, err := p.Toxics.AddToxicJson(x.json())
	require.NoError(tb, err)
	return func() {
		x.Toxicity = 1
		_, err := p.Toxics.UpdateToxicJson(added.Name, x.json())
		require.NoError(tb, err)
	}
}

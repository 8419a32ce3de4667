package debug_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachedebug"
	"github.com/tiercache/tiercache/tracing"
)

const (
	secret = "user:4711:token"
	alarm  = "c0201f" // the colour of a warning
)

// serve returns the URL of a page with one cache, whose tiers may differ if diverged.
func serve(t *testing.T, diverged bool, opts ...tiercachedebug.Option) (url string) {
	t.Helper()
	h := tiercachedebug.New(opts...)
	l2 := backendtest.WithFaults(backendtest.NewMap[string]())
	users, err := tiercache.New("users & <b>groups</b>", backendtest.NewMap[string](), l2,
		tiercache.WithInconsistencyHook(h.Record),
		tiercache.WithTelemetry(tracing.WithMeterProvider(sdkmetric.NewMeterProvider())))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, users.Close(context.WithoutCancel(t.Context()))) })
	require.NoError(t, h.Add(users))
	if diverged {
		l2.Next(tier.Set, backendtest.FailBefore(errors.New("refused")))
		require.ErrorIs(t, users.Set(t.Context(), secret, "Ada", time.Hour), tiercache.ErrInconsistent)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// A real browser applies the content security policy, which must let the page's own style
// through, and would report what it stops on the console.
func TestPage(t *testing.T) {
	t.Parallel()
	url := serve(t, true)
	document, log := dom(t, url)
	assert.Contains(t, document, "<h2>users &amp; &lt;b&gt;groups&lt;/b&gt;</h2>", "a name is no markup")
	assert.Contains(t, document, `Inconsistencies: <span class="alarm">1</span>`)
	assert.Contains(t, document, "l1 applied, l2 failed")
	assert.NotContains(t, document, secret)
	assert.NotContains(t, log, "CONSOLE", "nothing is refused, and there are no errors")
	assert.Greater(t, pixels(screenshot(t, url), alarm), 50, "the warning is seen")
}

func TestPage_WithoutInconsistency(t *testing.T) {
	t.Parallel()
	url := serve(t, false)
	document, _ := dom(t, url)
	assert.Contains(t, document, "None was recorded.")
	assert.Zero(t, pixels(screenshot(t, url), alarm))
}

func TestPage_WithKeys(t *testing.T) {
	t.Parallel()
	document, _ := dom(t, serve(t, true, tiercachedebug.WithKeys()))
	assert.Contains(t, document, "<code>"+secret+"</code>")
}

func TestJSON(t *testing.T) {
	t.Parallel()
	document, _ := dom(t, serve(t, true)+"/?format=json")
	assert.Contains(t, document, `"inconsistencies": 1`)
	assert.NotContains(t, document, secret)
}

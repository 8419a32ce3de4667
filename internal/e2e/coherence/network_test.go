package coherence

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/network"
)

// newNetwork returns the way of an instance to the server.
func newNetwork(tb testing.TB, target string) *network.Network {
	tb.Helper()
	n, err := network.Start(tb.Context(), target)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, n.Close()) })
	return n
}

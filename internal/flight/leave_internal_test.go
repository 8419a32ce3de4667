package flight

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The last caller leaves in two steps, and between them the flight can still be found.
func TestJoin_WhileTheLastLeaves(t *testing.T) {
	t.Parallel()
	g := New[int]()
	may, begin := func(*int) bool { return true }, func(*int) error { return nil }
	left, _, err := g.Join(t.Context(), "k", may, begin)
	require.NoError(t, err)
	left.callers--

	f, first, err := g.Join(t.Context(), "k", may, begin)
	require.NoError(t, err)
	assert.True(t, first, "a flight that is about to be cancelled must not be joined")

	left.forget()
	again, first, err := g.Join(t.Context(), "k", may, begin)
	require.NoError(t, err)
	assert.False(t, first, "the flight that took its place stays")
	assert.Same(t, f, again)
}

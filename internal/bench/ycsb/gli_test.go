package ycsb

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The trace has the loops of its paper, on records that exist.
func TestGli(t *testing.T) {
	t.Parallel()
	blocks, err := gli(t.Context())
	require.NoError(t, err)
	assert.Len(t, blocks, 6015)

	_, got := recorded(t, "G")
	assert.Len(t, got.keys, testRecords)
	for i, op := range got.ops {
		require.Equal(t, read, op.kind)
		require.Equal(t, got.ops[i%len(blocks)], op, "it begins anew")
	}
}

func TestGli_Version(t *testing.T) {
	t.Parallel()
	module, version, _ := strings.Cut(gliModule, "@")
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", module).Output()
	require.NoError(t, err)
	assert.Equal(t, version, strings.TrimSpace(string(out)), "go.mod has another version")
}

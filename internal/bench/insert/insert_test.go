package insert_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/bench/insert"
)

func TestInto(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "doc.md")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }

	write("# Title\n\n<!-- begin table -->\nold\n<!-- end table -->\n\nMore.\n")
	for range 2 { // the second time changes nothing
		require.NoError(t, insert.Into(file, "table", "\nnew\n"))
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "# Title\n\n<!-- begin table -->\n\nnew\n\n<!-- end table -->\n\nMore.\n", string(got))
	}

	for _, bad := range []string{"", "<!-- begin table -->\n", "<!-- end table -->\n<!-- begin table -->\n"} {
		write(bad)
		require.ErrorIs(t, insert.Into(file, "table", "new"), insert.ErrNoMarks)
	}
}

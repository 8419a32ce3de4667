package tiercache_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the transcripts in testdata anew")

// sectionEnd ends the header of a transcript, and each of its sections.
const sectionEnd = "\n\n\n"

// section is one scenario of a transcript: run returns its text, in a bubble.
type section struct {
	name string
	run  func(t *testing.T) string
}

// checkTranscript holds the sections to a file that people read, or writes it anew.
func checkTranscript(t *testing.T, file, header string, sections []section) {
	t.Helper()
	header += sectionEnd
	recorded, err := os.ReadFile(file)
	require.NoError(t, err)
	want := strings.SplitAfter(string(recorded), sectionEnd)
	all := header
	for i, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := "## " + s.name + "\n\n" + s.run(t) + sectionEnd
				all += got
				if !*update && assert.Less(t, i+1, len(want)) {
					assert.Equal(t, want[i+1], got)
				}
			})
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(all), 0o600))
		return
	}
	assert.Equal(t, header, want[0])
	assert.Len(t, want, len(sections)+2, "the header, one for each scenario, and nothing after the last")
}

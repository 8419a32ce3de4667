package tiercachedebug

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A later version of the library may add fields with keys. They are hidden unless the
// handler shows keys.
func TestFields_HideTexts(t *testing.T) {
	t.Parallel()
	type inner struct {
		Oldest string
		Keys   []string
	}
	status := struct {
		Repair   inner
		Cause    string
		Open     int
		internal int
	}{inner{"user:4711", []string{"user:4712"}}, "full", 2, 1}
	_ = status.internal

	hidden, err := json.Marshal(fieldsOf(status, false))
	require.NoError(t, err)
	assert.JSONEq(t, `{"repair": {}, "cause": "full", "open": 2}`, string(hidden))
	shown, err := json.Marshal(fieldsOf(status, true))
	require.NoError(t, err)
	assert.JSONEq(t, `{"repair": {"oldest": "user:4711", "keys": "[user:4712]"}, "cause": "full", "open": 2}`, string(shown))
	assert.Equal(t, []row{{"cause", "full"}, {"open", "2"}}, fieldsOf(status, false).rows(""))
}

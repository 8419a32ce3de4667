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
	type open struct{ Key, Cause string }
	type inner struct {
		Oldest string
		Names  []string
		Keys   []open
	}
	status := struct {
		Repair   inner
		Cause    string
		Open     int
		internal int
	}{inner{"user:4711", []string{"user:4712"}, []open{{"user:4713", "unknown"}}}, "full", 2, 1}
	_ = status.internal

	hidden, err := json.Marshal(fieldsOf(status, false))
	require.NoError(t, err)
	assert.JSONEq(t, `{"repair": {"keys": [{"cause": "unknown"}]}, "cause": "full", "open": 2}`, string(hidden))
	shown, err := json.Marshal(fieldsOf(status, true))
	require.NoError(t, err)
	assert.JSONEq(t, `{"repair": {"oldest": "user:4711", "names": "[user:4712]", "keys": [{"key": "user:4713", "cause": "unknown"}]}, "cause": "full", "open": 2}`, string(shown))
	assert.Equal(t, []row{{"repair: keys 1: cause", "unknown"}, {"cause", "full"}, {"open", "2"}}, fieldsOf(status, false).rows(""))
}

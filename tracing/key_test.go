package tracing_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tiercachetest"
	"github.com/tiercache/tiercache/tracing"
)

// A key that is no valid UTF-8 would cost the exporter's whole batch.
func TestKey_ValidUTF8(t *testing.T) {
	t.Parallel()
	rec := tiercachetest.NewRecorder()
	f := tiercachetest.New[string](t, rec.Options(tracing.WithKey(func(key string) string { return key }))...)
	require.NoError(t, f.Set(t.Context(), "k\xff", "v", 0))
	shown := 0
	for _, span := range rec.Spans() {
		for _, a := range span.Attributes() {
			assert.True(t, utf8.ValidString(a.Value.String()), "%s", a.Key)
			if a.Key == tracing.AttrKey {
				shown++
			}
		}
	}
	assert.Equal(t, 1, shown)
	_, err := tiercache.New("users\xff", f.Map1, f.Map2)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
}

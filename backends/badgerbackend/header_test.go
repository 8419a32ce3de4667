package badgerbackend_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// Existing folders have this format: these bytes must not change.
func TestFormat(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expiry int64
		value  string
		want   string
	}{
		"never":   {0, "v", "\xC1\x00\x00\x00\x00\x00\x00\x00\x00v"},
		"expires": {0x0102030405060708, "value", "\xC1\x01\x02\x03\x04\x05\x06\x07\x08value"},
		"empty":   {1, "", "\xC1\x00\x00\x00\x00\x00\x00\x00\x01"},
		"latest":  {math.MaxInt64, "v", "\xC1\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFFv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, string(badgerbackend.Encode(test.expiry, []byte(test.value))))
			expiry, value, err := badgerbackend.Decode([]byte(test.want))
			require.NoError(t, err)
			require.Equal(t, test.expiry, expiry)
			require.Equal(t, test.value, string(value))
		})
	}
}

func FuzzHeader(f *testing.F) {
	texts := make(map[string]bool) // all that an error may say: nothing of the bytes
	for _, stored := range []string{"", "\xC1", "\xC0\x00\x00\x00\x00\x00\x00\x00\x00", "\xC1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"} {
		f.Add([]byte(stored))
		if _, _, err := badgerbackend.Decode([]byte(stored)); err != nil {
			texts[err.Error()] = true
		}
	}
	f.Add([]byte("\xC1\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xC1\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\xC1\x00\x00\x00\x00\x00\x00\x00\x00value"))
	f.Add([]byte("\xC1\x17\x9A\x3B\x2C\x1D\x0E\x0F\x10value"))
	f.Add([]byte("\xC1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFvalue"))
	f.Add([]byte("\xC0\x00\x00\x00\x00\x00\x00\x00\x00value"))
	f.Add([]byte(`{"json": "of another writer"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		expiry, value, err := badgerbackend.Decode(data)
		require.Equal(t, before, data, "the bytes were changed")
		if err != nil {
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged)
			assert.Equal(t, "damaged", damaged.ErrorType())
			assert.Nil(t, value)
			assert.True(t, texts[err.Error()], err)
			return
		}
		assert.GreaterOrEqual(t, expiry, int64(0))
		assert.Equal(t, data, badgerbackend.Encode(expiry, value), "encoding again gives other bytes")
	})
}

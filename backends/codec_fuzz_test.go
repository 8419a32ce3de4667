package backends_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

func FuzzString(f *testing.F) {
	f.Add("")
	f.Add("text\x00\xff")
	f.Fuzz(func(t *testing.T, value string) {
		data, err := backends.String().Encode(value)
		require.NoError(t, err)
		got, err := backends.String().Decode(data)
		require.NoError(t, err)
		require.Equal(t, value, got)
	})
}

func FuzzBytes(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("text\x00\xff"))
	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		data, err := backends.Bytes().Encode(value)
		require.NoError(t, err)
		got, err := backends.Bytes().Decode(data)
		require.NoError(t, err)
		require.Equal(t, before, got)
	})
}

// FuzzJSON decodes any bytes. What can be decoded is encoded to something that
// decodes to the same.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"Name":"lamp","price":7}`, `null`, `[1e400]`, `"\ud800"`, `{"a":[-0,1.5,true]}`, `{`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		stable(t, backends.JSON[product](), data)
		stable(t, backends.JSON[any](), data)
		stable(t, backends.JSON[map[string][]byte](), data)
	})
}

func stable[V any](t *testing.T, codec backends.Codec[V], data []byte) {
	t.Helper()
	before := bytes.Clone(data)
	value, err := codec.Decode(data)
	require.Equal(t, before, data, "it must not modify the bytes")
	if err != nil {
		return
	}
	first, err := codec.Encode(value)
	require.NoError(t, err)
	again, err := codec.Decode(first)
	require.NoError(t, err)
	require.Equal(t, value, again)
	second, err := codec.Encode(again)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
}

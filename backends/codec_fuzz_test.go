package backends_test

import (
	"bytes"
	"encoding/json"
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

// FuzzJSONFaithful encodes any strings. Strings that it accepts come back equal.
func FuzzJSONFaithful(f *testing.F) {
	f.Add("Z\xfcrich", `\ufffd`, "1e5")
	f.Add("\ufffd", `"\`, "12345678901234567890")
	f.Fuzz(func(t *testing.T, a, b, number string) {
		faithful(t, a)
		faithful(t, map[string]string{a: b, b: a})
		faithful(t, any(map[string]any{a: []any{b, a}, b: map[string]any{a: nil}}))
		faithful(t, map[folded]any{{foldAB.Replace(a)}: b, {foldAB.Replace(b)}: map[string]any{"x": a}})
		if number == "" {
			number = "0" // as the docs of JSON say
		}
		faithful(t, struct {
			N json.Number
			S string `json:",string"`
		}{json.Number(number), a})
	})
}

func faithful[V any](t *testing.T, value V) {
	t.Helper()
	data, err := backends.JSON[V]().Encode(value)
	if err != nil {
		return
	}
	got, err := backends.JSON[V]().Decode(data)
	require.NoError(t, err)
	require.Equal(t, value, got)
}

// FuzzJSON decodes any bytes. A decoded value is encoded to something that decodes to
// the same value.
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

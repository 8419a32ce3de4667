package header_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/header"
)

// Bytes are refused with a text that quotes none of them, or are those of exactly one
// header and value.
func FuzzDecode(f *testing.F) {
	full := header.Header{Codec: 1, ExpiresAt: 2, Version: 3, Source: 4, Operation: 5, Note: []byte("note")}
	for _, h := range []header.Header{{}, full, {Tombstone: true, Version: 9}} {
		value := []byte("value")
		if h.Tombstone {
			value = nil
		}
		data := h.Encode(value)
		f.Add(data)
		f.Add(data[:len(data)-1])
		f.Add(data[:header.Size-1])
	}
	f.Add([]byte("\xC1\x17\x9A\x3B\x2C\x1D\x0E\x0F\x10value"))
	f.Add([]byte(`{"json": "of another writer, longer than a header"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		h, value, err := header.Decode(data)
		require.Equal(t, before, data, "the bytes were changed")
		if err != nil {
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged)
			assert.Contains(t, reasons, damaged.Reason)
			assert.Zero(t, h)
			assert.Nil(t, value)
			return
		}
		assert.False(t, header.Earlier(data), "the bytes are of two formats")
		assert.GreaterOrEqual(t, h.ExpiresAt, int64(0))
		assert.Equal(t, data, h.Encode(value), "encoding again gives other bytes")
	})
}

// Whatever is encoded is decoded, unless a deletion is given a value.
func FuzzEncode(f *testing.F) {
	f.Add(false, byte(1), int64(2), uint64(3), uint64(4), uint64(5), []byte("note"), []byte("value"))
	f.Add(true, byte(0), int64(0), uint64(1<<63), uint64(0), uint64(0), []byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, tombstone bool, codec byte, expiresAt int64, version, source, operation uint64, note, value []byte) {
		note = note[:min(len(note), backends.MaxNoteSize)]
		if len(note) == 0 {
			note = nil
		}
		if tombstone {
			value = nil
		}
		want := header.Header{
			Tombstone: tombstone, Codec: codec, ExpiresAt: max(0, expiresAt),
			Version: backends.Version(version), Source: source, Operation: operation, Note: note,
		}
		data := want.Encode(value)
		got, back, err := header.Decode(data)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, string(value), string(back))
		for size := range min(len(data), header.Size) {
			_, _, err := header.Decode(data[:size])
			require.Error(t, err, "a header of %d bytes", size)
		}
	})
}

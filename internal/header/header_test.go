package header_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/header"
)

const zeros8 = "\x00\x00\x00\x00\x00\x00\x00\x00"

var full = header.Header{
	Codec: 7, ExpiresAt: 0x0102030405060708, Version: 0x1112131415161718,
	Source: 0x2122232425262728, Operation: 0x3132333435363738, Note: []byte("note"),
}

// Stores have this format: these bytes must not change.
func TestHeader(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header      header.Header
		value, want string
	}{
		"empty": {want: "\xC1\x82\x00\x00" + zeros8 + zeros8 + zeros8 + zeros8},
		"all fields": {full, "value", "\xC1\x82\x02\x07\x01\x02\x03\x04\x05\x06\x07\x08" +
			"\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28\x31\x32\x33\x34\x35\x36\x37\x38\x04notevalue"},
		"a tombstone": {
			header.Header{Tombstone: true, Version: 1, ExpiresAt: math.MaxInt64}, "",
			"\xC1\x82\x01\x00\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + zeros8[:7] + "\x01" + zeros8 + zeros8,
		},
		"the longest note": {
			header.Header{Note: []byte(strings.Repeat("n", backends.MaxNoteSize))}, "v",
			"\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "\x40" + strings.Repeat("n", backends.MaxNoteSize) + "v",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, string(test.header.Encode([]byte(test.value))))
			h, value, err := header.Decode([]byte(test.want))
			require.NoError(t, err)
			assert.Equal(t, test.header, h)
			assert.Equal(t, test.value, string(value))
			assert.False(t, header.Earlier([]byte(test.want)))
		})
	}
}

func TestHeader_Answer(t *testing.T) {
	t.Parallel()
	answer := backends.Answer{
		Found: backends.Hit, Version: full.Version, Source: full.Source,
		Operation: full.Operation, Note: full.Note, Codec: full.Codec,
	}
	assert.Equal(t, answer, full.Answer())
	tombstone := full
	tombstone.Tombstone, answer.Found = true, backends.Miss
	assert.Equal(t, answer, tombstone.Answer())
}

var damaged = map[string]string{
	"nothing":              "",
	"another's":            `{"secret": "hunter2", "more": "of it, and even more of it"}`,
	"the magic alone":      "\xC1",
	"short":                "\xC1\x82\x00\x00" + zeros8 + zeros8 + zeros8 + zeros8[:7],
	"a later format":       "\xC1\x83\x00\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
	"an unknown flag":      "\xC1\x82\x04\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
	"an impossible expiry": "\xC1\x82\x00\x00\x80" + zeros8[:7] + zeros8 + zeros8 + zeros8 + "hunter2",
	"no room for the note": "\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8,
	"a note cut short":     "\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "\x08hunter2",
	"an empty note":        "\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "\x00hunter2",
	"a note too long":      "\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "\x41" + strings.Repeat("n", 65),
	"a deletion's value":   "\xC1\x82\x01\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
}

func TestHeader_Damaged(t *testing.T) {
	t.Parallel()
	for name, stored := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, value, err := header.Decode([]byte(stored))
			var failed *backends.DamagedError
			require.ErrorAs(t, err, &failed)
			assert.Zero(t, h)
			assert.Nil(t, value)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestEarlier(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]bool{
		"": false, "\xC1": false, "\xC1\x00": true, "\xC1\x7F": true, "\xC1\x80": false, "\xC1\x82": false, "{}": false,
	} {
		assert.Equal(t, want, header.Earlier([]byte(stored)), "%q", stored)
	}
}

func FuzzHeader(f *testing.F) {
	texts := make(map[string]bool) // all that an error may say: nothing of the bytes
	for _, stored := range damaged {
		f.Add([]byte(stored))
		_, _, err := header.Decode([]byte(stored))
		texts[err.Error()] = true
	}
	f.Add(full.Encode([]byte("value")))
	f.Add((&header.Header{Tombstone: true, Note: []byte("note")}).Encode(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		h, value, err := header.Decode(data)
		require.Equal(t, before, data, "the bytes were changed")
		if err != nil {
			require.True(t, texts[err.Error()], err)
			return
		}
		require.Equal(t, data, h.Encode(value), "encoding again gives other bytes")
	})
}

package header_test

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/header"
)

// Stores have values in this format: these bytes must not change.
func TestFormat(t *testing.T) {
	t.Parallel()
	const numbers = "0102030405060708" + "1112131415161718" + "2122232425262728" + "3132333435363738"
	full := header.Header{
		Codec: 7, ExpiresAt: 0x0102030405060708, Version: 0x1112131415161718,
		Source: 0x2122232425262728, Operation: 0x3132333435363738,
	}
	noted, deleted := full, full
	noted.Note = []byte("note")
	deleted.Tombstone, deleted.Note = true, []byte("n")
	for name, test := range map[string]struct {
		header header.Header
		value  string
		want   string
	}{
		"nothing":    {header.Header{}, "", "c1820000" + strings.Repeat("00", 32)},
		"a value":    {full, "v", "c1820007" + numbers + "76"},
		"a note":     {noted, "v", "c1820207" + numbers + "04" + hex.EncodeToString([]byte("note")) + "76"},
		"a deletion": {deleted, "", "c1820307" + numbers + "01" + hex.EncodeToString([]byte("n"))},
		"the greatest numbers": {
			header.Header{
				Codec: math.MaxUint8, ExpiresAt: math.MaxInt64,
				Version: math.MaxUint64, Source: math.MaxUint64, Operation: math.MaxUint64,
			},
			"", "c18200ff7fffffffffffffff" + strings.Repeat("ff", 24),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := test.header.Encode([]byte(test.value))
			require.Equal(t, test.want, hex.EncodeToString(data))
			got, value, err := header.Decode(data)
			require.NoError(t, err)
			assert.Equal(t, test.header, got)
			assert.Equal(t, test.value, string(value))
			assert.False(t, header.Earlier(data))
		})
	}
}

func TestNegativeExpiryIsNever(t *testing.T) {
	t.Parallel()
	got, _, err := header.Decode((&header.Header{ExpiresAt: -1}).Encode(nil))
	require.NoError(t, err)
	assert.Zero(t, got.ExpiresAt)
}

// Encode copies, and Decode shares: the value's memory is the caller's both times.
func TestMemory(t *testing.T) {
	t.Parallel()
	value := []byte("value")
	data := (&header.Header{}).Encode(value)
	value[0] = 'V'
	_, got, err := header.Decode(data)
	require.NoError(t, err)
	assert.Equal(t, "value", string(got))
	assert.Same(t, &data[header.Size], &got[0])
	assert.Equal(t, len(data), cap(data), "Encode has allocated more than it needs")
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	h := header.Header{Codec: 1, Version: 2, Source: 3, Operation: 4, Note: []byte("n"), ExpiresAt: 5}
	want := backends.Answer{Found: backends.Hit, Codec: 1, Version: 2, Source: 3, Operation: 4, Note: []byte("n")}
	assert.Equal(t, want, h.Answer())
	h.Tombstone, want.Found = true, backends.Miss
	assert.Equal(t, want, h.Answer())
}

// reasons are the texts of all errors. They quote nothing of the bytes.
var reasons = []string{
	"of an unknown format", "too short for a header", "of an unknown format, perhaps of a later release",
	"with unknown flags, perhaps of a later release", "with an impossible expiry", "with an impossible note",
	"a deletion with a value",
}

func TestForeignBytes(t *testing.T) {
	t.Parallel()
	rest := strings.Repeat("\x00", header.Size-4)
	for name, test := range map[string]struct{ data, reason string }{
		"nothing":           {"", "of an unknown format"},
		"JSON":              {`{"a value": "of another program, and longer than a header"}`, "of an unknown format"},
		"a text":            {strings.Repeat("é", header.Size), "of an unknown format"},
		"magic alone":       {"\xC1", "too short for a header"},
		"cut header":        {"\xC1\x82\x00\x00" + rest[1:], "too short for a header"},
		"later format":      {"\xC1\x83\x00\x00" + rest, "of an unknown format, perhaps of a later release"},
		"earlier format":    {"\xC1\x00\x00\x00" + rest, "of an unknown format, perhaps of a later release"},
		"unknown flag":      {"\xC1\x82\x04\x00" + rest, "with unknown flags, perhaps of a later release"},
		"highest flag":      {"\xC1\x82\x80\x00" + rest, "with unknown flags, perhaps of a later release"},
		"negative expiry":   {"\xC1\x82\x00\x00\x80" + rest[1:], "with an impossible expiry"},
		"no note":           {"\xC1\x82\x02\x00" + rest, "with an impossible note"},
		"empty note":        {"\xC1\x82\x02\x00" + rest + "\x00v", "with an impossible note"},
		"cut note":          {"\xC1\x82\x02\x00" + rest + "\x02v", "with an impossible note"},
		"note too long":     {"\xC1\x82\x02\x00" + rest + "\x41" + strings.Repeat("n", 65), "with an impossible note"},
		"deleted value":     {"\xC1\x82\x01\x00" + rest + "v", "a deletion with a value"},
		"deleted with both": {"\xC1\x82\x03\x00" + rest + "\x01nv", "a deletion with a value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, reasons, test.reason)
			h, value, err := header.Decode([]byte(test.data))
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged)
			assert.Equal(t, test.reason, damaged.Reason)
			assert.Empty(t, damaged.Advice)
			assert.Zero(t, h)
			assert.Nil(t, value)
		})
	}
}

func TestLongestNote(t *testing.T) {
	t.Parallel()
	want := header.Header{Note: []byte(strings.Repeat("n", backends.MaxNoteSize))}
	got, value, err := header.Decode(want.Encode([]byte("v")))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, "v", string(value))
}

// The second byte tells the formats apart.
func TestEarlier(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		"":             false,
		"\xC1":         false,
		"\xC1\x00":     true, // redisbackend without flags, badgerbackend without expiry
		"\xC1\x03":     true, // redisbackend with all of its flags
		"\xC1\x7F\xFF": true, // badgerbackend's latest expiry
		"\xC1\x80":     false,
		"\xC1\x82":     false,
		"\xC0\x00":     false,
		"{}":           false,
	} {
		assert.Equal(t, want, header.Earlier([]byte(data)), "%q", data)
	}
}

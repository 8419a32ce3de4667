package redisbackend_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/header"
)

const (
	zeros4 = "\x00\x00\x00\x00"
	zeros8 = zeros4 + zeros4
)

// Running servers have this format: these bytes must not change.
func TestFormat(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expiry int64
		value  string
		want   string
	}{
		"never":   {0, "v", "\xC1\x82\x00\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "v"},
		"expires": {0x0102030405060708, "value", "\xC1\x82\x00\x00" + "\x01\x02\x03\x04\x05\x06\x07\x08" + zeros8 + zeros8 + zeros8 + "value"},
		"empty":   {1, "", "\xC1\x82\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x01" + zeros8 + zeros8 + zeros8},
		"latest":  {math.MaxInt64, "v", "\xC1\x82\x00\x00" + "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + zeros8 + zeros8 + zeros8 + "v"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, string(redisbackend.Encode(test.expiry, []byte(test.value))))
			h, value, err := redisbackend.Decode([]byte(test.want))
			require.NoError(t, err)
			require.Equal(t, header.Header{ExpiresAt: test.expiry}, h)
			require.Equal(t, test.value, string(value))
		})
	}
}

// Entries of the first format have no versions, also where its flags announce one: no
// release has written such.
func TestFormat_First(t *testing.T) {
	t.Parallel()
	for flags, fields := range map[string]string{
		"\x00": zeros4 + "\x00\x00\x00\x00\x00\x00\x00\x07" + zeros8,
		"\x01": zeros4 + "\x00\x00\x00\x00\x00\x00\x00\x07" + "version!",
		"\x02": "sum!" + "\x00\x00\x00\x00\x00\x00\x00\x07" + zeros8,
		"\x03": "sum!" + "\x00\x00\x00\x00\x00\x00\x00\x07" + "version!",
	} {
		h, value, err := redisbackend.Decode([]byte("\xC1" + flags + fields + "value"))
		require.NoError(t, err)
		assert.Equal(t, header.Header{ExpiresAt: 7}, h)
		assert.Equal(t, "value", string(value))
	}
}

// A value that an earlier release has written is found, and replaced by one of today's
// format.
func TestFormat_FirstInTheStore(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.backend(t)
	require.NoError(t, s.Set("k", "\xC1\x00"+zeros4+zeros8+zeros8+"old"))
	requireHit(t, b, "k", value("old"))
	require.NoError(t, b.Set(t.Context(), "k", value("new")))
	stored, err := s.Get("k")
	require.NoError(t, err)
	assert.Equal(t, "\xC1\x82", stored[:2])
	requireHit(t, b, "k", value("new"))
}

var damaged = map[string]string{
	"empty":                 "",
	"short":                 "\xC1\x00" + zeros4 + zeros8 + "\x00\x00\x00\x00\x00\x00\x00",
	"another's":             `{"secret": "hunter2", "more": "of it"}`,
	"wrong format":          "\xC2\x00" + zeros4 + zeros8 + zeros8 + "hunter2",
	"unknown flag":          "\xC1\x04" + zeros4 + zeros8 + zeros8 + "hunter2",
	"unknown flags":         "\xC1\xFF" + zeros4 + zeros8 + zeros8 + "hunter2",
	"unannounced version":   "\xC1\x02" + zeros4 + zeros8 + "hunter2!" + "value",
	"unannounced checksum":  "\xC1\x01" + "sum!" + zeros8 + zeros8 + "hunter2",
	"a later format":        "\xC1\x83" + zeros4 + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
	"a tombstone's value":   "\xC1\x82\x01\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
	"an impossible note":    "\xC1\x82\x02\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "\x09hunter2",
	"today's, unknown flag": "\xC1\x82\x04\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "hunter2",
	"today's, short":        "\xC1\x82\x00\x00" + zeros8 + zeros8 + zeros8 + zeros4,
	"today's, expiry":       "\xC1\x82\x00\x00\x80" + zeros4 + zeros8 + zeros8 + zeros8 + "hunter2",
	"impossible expiry":     "\xC1\x00" + zeros4 + "\x80\x00\x00\x00\x00\x00\x00\x00" + zeros8 + "hunter2",
	"expiry before the age": "\xC1\x00" + zeros4 + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + zeros8 + "hunter2",
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, stored := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := s.backend(t)
			damage := func() { require.NoError(t, s.Set(secret, stored)) }
			damage()
			_, ok, err := b.Get(t.Context(), secret)
			require.False(t, ok)
			var failed *backends.DamagedError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, "damaged", failed.ErrorType())
			assert.NotContains(t, err.Error(), secret)

			require.NoError(t, b.Set(t.Context(), secret, value("new")))
			requireHit(t, b, secret, value("new"))
			damage()
			require.NoError(t, b.Delete(t.Context(), secret))
			requireMiss(t, b, secret)
		})
	}
}

func FuzzHeader(f *testing.F) {
	texts := make(map[string]bool) // all that an error may say: nothing of the bytes
	for _, stored := range damaged {
		f.Add([]byte(stored))
		_, _, err := redisbackend.Decode([]byte(stored))
		texts[err.Error()] = true
	}
	f.Add([]byte("\xC1\x00" + zeros4 + zeros8 + zeros8 + "value"))
	f.Add([]byte("\xC1\x00" + zeros4 + "\x17\x9A\x3B\x2C\x1D\x0E\x0F\x10" + zeros8))
	f.Add([]byte("\xC1\x03" + "sum!" + zeros8 + "version!" + "value"))
	f.Add([]byte("\xC1\x82\x00\x00" + zeros8 + zeros8 + zeros8 + zeros8 + "value"))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		h, value, err := redisbackend.Decode(data)
		require.Equal(t, before, data, "the bytes were changed")
		if err != nil {
			var failed *backends.DamagedError
			require.ErrorAs(t, err, &failed)
			assert.Nil(t, value)
			assert.True(t, texts[err.Error()], err)
			return
		}
		assert.GreaterOrEqual(t, h.ExpiresAt, int64(0))
		assert.True(t, bytes.HasSuffix(data, value))
	})
}

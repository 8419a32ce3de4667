package msgpackcodec_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/msgpackcodec"
)

type article struct {
	ID      int64
	Title   string `msgpack:"title"`
	Tags    []string
	Scores  map[string]float64
	Created time.Time
	Body    []byte
	Next    *article
	Small   int8
	Large   uint64
	Grid    [2][]int32
	Note    *string
}

func articles() []article {
	note := "é"
	return []article{
		{},
		{
			ID: math.MinInt64, Title: "Wandern in Zürich\x00", Tags: []string{"", "a"}, Scores: map[string]float64{"de": 0.75},
			Created: time.Date(2026, time.May, 1, 2, 3, 4, 5, time.UTC), Body: []byte{0, 0xc1, 0xff}, Small: -128, Large: math.MaxUint64,
			Next: &article{Title: strings.Repeat("long ", 20_000)}, Grid: [2][]int32{{1, -1 << 31}, {}}, Note: &note,
		},
		{Tags: []string{}, Scores: map[string]float64{}, Body: []byte{}, Note: new("")},
	}
}

func equal(a, b article) bool {
	if !a.Created.Equal(b.Created) {
		return false
	}
	a.Created, b.Created = time.Time{}, time.Time{}
	if a.Next != nil && b.Next != nil {
		if !equal(*a.Next, *b.Next) {
			return false
		}
		a.Next, b.Next = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

func TestCodec_conforms(t *testing.T) {
	t.Parallel()
	t.Run("struct", func(t *testing.T) {
		t.Parallel()
		backendtest.CodecSuite[article]{
			Codec: msgpackcodec.New[article](), Samples: articles, Equal: equal,
			Undecodable: [][]byte{nil, {0xc1}, []byte(`{"ID":1}`), {0x91}, {0x81, 0xa2, 'I', 'D'}},
		}.Run(t)
	})
	t.Run("any", func(t *testing.T) {
		t.Parallel()
		backendtest.CodecSuite[any]{
			Codec: msgpackcodec.New[any](),
			Samples: func() []any {
				return []any{
					nil, true, "text", []byte("bytes"), int64(1), int8(-1), uint64(math.MaxUint64), uint16(7), 1.5, float32(0.1),
					[]any{int64(5), "a", nil},
					map[string]any{"b": int32(1), "a": []any{}},
				}
			},
			Deterministic: true,
		}.Run(t)
	})
	t.Run("pointer", func(t *testing.T) {
		t.Parallel()
		backendtest.CodecSuite[*string]{
			Codec: msgpackcodec.New[*string](), Samples: func() []*string { return []*string{nil, new(""), new("a")} },
			Deterministic: true,
		}.Run(t)
	})
}

func TestCodec_shortensIntegersWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	short, err := msgpackcodec.New[[]int64]().Encode([]int64{1, 2})
	require.NoError(t, err)
	require.Equal(t, []byte{0x92, 1, 2}, short)
	long, err := msgpackcodec.New[[]any]().Encode([]any{int64(1)})
	require.NoError(t, err)
	require.Len(t, long, 10)
}

func TestCodec_Validate(t *testing.T) {
	t.Parallel()
	invalid := func(codec interface{ Validate() error }) {
		t.Helper()
		require.ErrorIs(t, codec.Validate(), backends.ErrUnsupportedType)
	}
	invalid(msgpackcodec.New[func()]())
	invalid(msgpackcodec.New[chan int]())
	invalid(msgpackcodec.New[complex128]())
	invalid(msgpackcodec.New[error]())
	_, err := backends.WithCodec(backendtest.NewMap[[]byte](), msgpackcodec.New[error]())
	require.EqualError(t, err, "msgpackcodec: MessagePack cannot hold a error: use another type: backends: the codec cannot store values of this type")
	_, err = msgpackcodec.New[error]().Encode(nil)
	require.Error(t, err)
	_, err = msgpackcodec.New[error]().Decode([]byte{0xc0})
	require.Error(t, err)
	require.NoError(t, msgpackcodec.New[any]().Validate())
}

// Without a check of the bytes, the decoder recurses until the stack is exhausted, which ends the
// process, and allocates for a million elements.
func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	deep := append(bytes.Repeat([]byte{0x91}, 20<<20), 0xc0)
	limit := append(bytes.Repeat([]byte{0x91}, 10_000), 0xc0)
	_, err := msgpackcodec.New[any]().Decode(limit)
	require.NoError(t, err)
	for _, test := range []struct {
		name, want string
		data       []byte
	}{
		{"deep nesting", "nested too deep", deep},
		{"one level more", "nested too deep", append([]byte{0x91}, limit...)},
		{"an array that is not there", "cut, or no MessagePack", []byte("\xdd\xff\xff\xff\xff")},
		{"a map that is not there", "cut, or no MessagePack", []byte("\xdf\x7f\xff\xff\xff")},
		{"a string that is not there", "cut, or no MessagePack", []byte("\xdb\xff\xff\xff\xff")},
		{"two values", "more than one value", []byte{1, 2}},
		{"nothing", "cut, or no MessagePack", nil},
		{"the byte that is never used", "no MessagePack: it does not use", []byte{0xc1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := msgpackcodec.New[any]().Decode(test.data)
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// Where the decoder expects a map, it takes the bytes of an extension for one. Without a guard, a
// length in them makes it allocate 64 GiB, which ends the process.
func TestDecode_refusesMapsInExtensions(t *testing.T) {
	t.Parallel()
	const huge = "\xdd\xff\xff\xff\xff"
	for _, test := range []struct{ name, data string }{
		{"fixext 1", "\xd4\x05\x81"},
		{"fixext 2", "\xd5\x05\x81\x01"},
		{"fixext 4", "\xd6\x05\xc0" + huge[:3]},
		{"fixext 8", "\xd7\x05\x81\x01" + huge + "0"},
		{"fixext 16", "\xd8\x05\x81\x01" + huge + "000000000"},
		{"ext 8", "\xc7\x07\x05\x81\x01" + huge},
		{"ext 16", "\xc8\x00\x07\x05\x81\x01" + huge},
		{"ext 32", "\xc9\x00\x00\x00\x07\x05\x81\x01" + huge},
		{"map 16", "\xc7\x09\x05\xde\x00\x01\x01" + huge},
		{"map 32", "\xc7\x0b\x05\xdf\x00\x00\x00\x01\x01" + huge},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refuses[map[any]any](t, test.data)
			refuses[map[string]any](t, test.data)
			refuses[map[string]string](t, test.data)
			refuses[map[int][]any](t, test.data)
			refuses[[]map[any]any](t, "\x92\x80"+test.data)
		})
	}
}

func refuses[V any](t *testing.T, data string) {
	t.Helper()
	_, err := msgpackcodec.New[V]().Decode([]byte(data))
	var damaged *backends.DamagedError
	require.ErrorAs(t, err, &damaged)
	require.ErrorContains(t, err, "an extension where a map belongs")
}

// A time is an extension, whose bytes may look like a map's.
func TestCodec_keepsTimesThatLookLikeMaps(t *testing.T) {
	t.Parallel()
	type event struct {
		At   time.Time
		Tags map[string]any
		Raw  msgpack.RawMessage
	}
	for _, at := range []time.Time{
		time.Unix(0x81_00_00_00, 0), // fixext 4
		time.Unix(1, 0x81<<22),      // fixext 8
	} {
		raw, err := msgpackcodec.New[time.Time]().Encode(at)
		require.NoError(t, err)
		codec := msgpackcodec.New[event]()
		data, err := codec.Encode(event{At: at, Tags: map[string]any{"at": at}, Raw: raw})
		require.NoError(t, err)
		got, err := codec.Decode(data)
		require.NoError(t, err)
		require.True(t, at.Equal(got.At))
		require.True(t, at.Equal(got.Tags["at"].(time.Time)))
		require.Equal(t, msgpack.RawMessage(raw), got.Raw)
		unknown, err := msgpackcodec.New[struct{ Other int }]().Decode(data)
		require.NoError(t, err)
		require.Zero(t, unknown)
	}
}

func TestDecode_doesNotPanic(t *testing.T) {
	t.Parallel()
	_, err := msgpackcodec.New[map[any]any]().Decode([]byte{0x81, 0x91, 1, 1}) // a key that is a slice
	require.EqualError(t, err, "backends: the stored bytes are no map[interface {}]interface {}: set or delete the key to get rid of them")
}

// liar is a type with an encoder of its own.
type liar struct{}

func (liar) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeArrayLen(3) }

func TestEncode_refusesWhatNobodyReads(t *testing.T) {
	t.Parallel()
	_, err := msgpackcodec.New[liar]().Encode(liar{})
	require.ErrorContains(t, err, "the encoding of a msgpackcodec_test.liar cannot be decoded")
}

// FuzzDecode decodes any bytes. What it reads it writes, to bytes that decode to the same value.
func FuzzDecode(f *testing.F) {
	for _, value := range articles() {
		data, err := msgpackcodec.New[article]().Encode(value)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte{0x81, 0x91, 1, 1})
	f.Add([]byte("\xc7\x07\x05\x81\x01\xdd\xff\xff\xff\xff")) // an extension that could be a map
	f.Add([]byte("\x92\xc7\x00\x05\xdc\x00\x00"))             // one without bytes, before an array
	f.Add([]byte("\xc7\x0c\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		stable(t, msgpackcodec.New[article](), data)
		stable(t, msgpackcodec.New[any](), data)
		stable(t, msgpackcodec.New[map[any]any](), data)
		stable(t, msgpackcodec.New[[]string](), data)
	})
}

func stable[V any](t *testing.T, codec *msgpackcodec.Codec[V], data []byte) {
	t.Helper()
	before := bytes.Clone(data)
	value, err := codec.Decode(data)
	require.Equal(t, before, data, "it must not modify the bytes")
	if err != nil {
		return
	}
	first, err := codec.Encode(value)
	if err != nil {
		return // an extension, for instance, that it has no encoder for
	}
	again, err := codec.Decode(first)
	require.NoError(t, err)
	second, err := codec.Encode(again)
	require.NoError(t, err)
	require.Len(t, second, len(first)) // the order of keys that are not text may differ
}

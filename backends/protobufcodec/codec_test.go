package protobufcodec_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/protobufcodec"
	"github.com/tiercache/tiercache/backends/protobufcodec/internal/articlepb"
)

func articles() []*articlepb.Article {
	return []*articlepb.Article{
		{},
		{
			Id: math.MinInt64, Title: "Wandern in Zürich\x00", Tags: []string{"", "a"}, Scores: map[string]float64{"de": 0.75, "": 0, "fr": math.Inf(1)},
			Created: 1, Body: strings.Repeat("long ", 20_000), Next: &articlepb.Article{},
		},
	}
}

func equal(a, b *articlepb.Article) bool { return proto.Equal(a, b) }

func TestCodec_conforms(t *testing.T) {
	t.Parallel()
	backendtest.CodecSuite[*articlepb.Article]{
		Codec: protobufcodec.New[*articlepb.Article](), Samples: articles, Equal: equal,
		Deterministic: true,
		Undecodable:   [][]byte{{0xff}, []byte(`{"id":1}`), {0x12, 1, 0xff}},
		Unencodable:   func() []*articlepb.Article { return []*articlepb.Article{nil, {Title: "\xff"}} },
	}.Run(t)
}

func TestEncode_requiredFields(t *testing.T) {
	t.Parallel()
	codec := protobufcodec.New[*descriptorpb.UninterpretedOption_NamePart]()
	_, err := codec.Encode(&descriptorpb.UninterpretedOption_NamePart{})
	require.ErrorContains(t, err, "required field")
}

func TestEncode_refusesNil(t *testing.T) {
	t.Parallel()
	cache, err := backends.WithCodec(backendtest.NewMap[[]byte](), protobufcodec.New[*articlepb.Article]())
	require.NoError(t, err)
	err = cache.Set(t.Context(), "k", backends.Entry[*articlepb.Article]{})
	require.ErrorIs(t, err, backends.ErrLossy)
	require.EqualError(t, err, "backends: the value cannot be encoded (protobufcodec.nilError)")
}

func TestDecode_keepsUnknownFields(t *testing.T) {
	t.Parallel()
	newer, err := protobufcodec.New[*articlepb.Article]().Encode(&articlepb.Article{Tags: []string{"a"}, Next: articles()[1]})
	require.NoError(t, err)
	older := protobufcodec.New[*emptypb.Empty]() // knows no field
	message, err := older.Decode(newer)
	require.NoError(t, err)
	again, err := older.Encode(message)
	require.NoError(t, err)
	require.Equal(t, newer, again)
}

func TestDecode_namesTheMessage(t *testing.T) {
	t.Parallel()
	_, err := protobufcodec.New[*articlepb.Article]().Decode([]byte("secret"))
	require.EqualError(t, err, "backends: the stored bytes are no tiercache.article.Article: set or delete the key to get rid of them")
}

func TestCodec_Validate(t *testing.T) {
	t.Parallel()
	codec := protobufcodec.New[proto.Message]()
	require.ErrorIs(t, codec.Validate(), backends.ErrUnsupportedType)
	_, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
	require.ErrorContains(t, err, "use a pointer to a generated message")
	_, err = codec.Encode(&articlepb.Article{})
	require.Error(t, err)
	_, err = codec.Decode(nil)
	require.Error(t, err)
}

// FuzzDecode decodes any bytes. What it reads it writes, to bytes that decode to the same message.
func FuzzDecode(f *testing.F) {
	codec := protobufcodec.New[*articlepb.Article]()
	for _, message := range articles() {
		data, err := codec.Encode(message)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add(bytes.Repeat([]byte{0x3a, 0x7f}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		message, err := codec.Decode(data)
		require.Equal(t, before, data, "it must not modify the bytes")
		if err != nil {
			return
		}
		first, err := codec.Encode(message)
		require.NoError(t, err)
		again, err := codec.Decode(first)
		require.NoError(t, err)
		require.True(t, proto.Equal(message, again))
		second, err := codec.Encode(again)
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}

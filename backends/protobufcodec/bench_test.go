package protobufcodec_test

import (
	"testing"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/protobufcodec"
	"github.com/tiercache/tiercache/backends/protobufcodec/internal/articlepb"
	"github.com/tiercache/tiercache/internal/codecbench"
)

// BenchmarkCodec has the figures of docs/codecs.md.
func BenchmarkCodec(b *testing.B) {
	v := codecbench.NewArticle(1)
	codecbench.Run(b, "codec=JSON", backends.JSON[codecbench.Article](), v)
	codecbench.Run(b, "codec=protobuf", protobufcodec.New[*articlepb.Article](), &articlepb.Article{
		Id: v.ID, Title: v.Title, Tags: v.Tags, Scores: v.Scores, Created: v.Created, Body: v.Body,
	})
}

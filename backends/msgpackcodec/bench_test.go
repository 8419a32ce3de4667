package msgpackcodec_test

import (
	"testing"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/msgpackcodec"
	"github.com/tiercache/tiercache/internal/codecbench"
)

// BenchmarkCodec has the figures of docs/codecs.md.
func BenchmarkCodec(b *testing.B) {
	v := codecbench.NewArticle(1)
	codecbench.Run(b, "codec=JSON", backends.JSON[codecbench.Article](), v)
	codecbench.Run(b, "codec=msgpack", msgpackcodec.New[codecbench.Article](), v)
}

package compresscodec_test

import (
	"testing"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/compresscodec"
	"github.com/tiercache/tiercache/internal/codecbench"
)

// BenchmarkCodec has the figures of docs/codecs.md: JSON of one article, and of 20.
func BenchmarkCodec(b *testing.B) {
	var articles []codecbench.Article
	for i := range 20 {
		articles = append(articles, codecbench.NewArticle(uint64(i)))
	}
	for name, v := range map[string][]codecbench.Article{"articles=1": articles[:1], "articles=20": articles} {
		codecbench.Run(b, name+"/codec=JSON", backends.JSON[[]codecbench.Article](), v)
		for _, algorithm := range algorithms {
			codec := compresscodec.New(backends.JSON[[]codecbench.Article](), compresscodec.WithAlgorithm(algorithm))
			codecbench.Run(b, name+"/codec=JSON+"+algorithm.String(), codec, v)
		}
	}
}

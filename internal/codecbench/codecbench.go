// Package codecbench measures codecs with one value, so that the figures of docs/codecs.md
// can be compared.
package codecbench

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tiercache/tiercache/backends"
)

// Article is a value as services cache it.
type Article struct {
	ID      int64
	Title   string
	Tags    []string
	Scores  map[string]float64
	Created int64
	Body    string
}

// NewArticle returns a value of about 1200 bytes, with a text of 300 different words.
func NewArticle(seed uint64) Article {
	vocabulary := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same words each time
	words := make([]string, 300)
	for i := range words {
		word := make([]byte, 3+vocabulary.IntN(7))
		for j := range word {
			word[j] = "etaoinshrdlucmfw"[min(vocabulary.IntN(16), vocabulary.IntN(16))]
		}
		words[i] = string(word)
	}
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // the same text each time
	body := make([]string, 150)
	for i := range body {
		body[i] = words[min(random.IntN(300), random.IntN(300))]
	}
	return Article{
		ID: 4711, Title: "Wandern in Zürich", Tags: []string{"Reise", "Schweiz", "Berge"},
		Scores: map[string]float64{"de": 0.75, "fr": 0.5, "it": 0.25}, Created: 1777600923000000004,
		Body: strings.Join(body, " "),
	}
}

// Run measures the time of a codec, and the size of one value.
func Run[V any](b *testing.B, name string, codec backends.Codec[V], v V) {
	b.Helper()
	data, err := codec.Encode(v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run(name+"/op=encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.Encode(v); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(data)), "bytes")
	})
	b.Run(name+"/op=decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.Decode(data); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(data)), "bytes")
	})
}

package backends_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tiercache/tiercache/backends"
)

type article struct {
	ID      int64
	Title   string
	Tags    []string
	Scores  map[string]float64
	Created time.Time
	Body    string
}

// BenchmarkJSON compares the codec with encoding/json alone. "typed" is a struct,
// whose output is searched for escapes; "any" is the same as a tree of
// interfaces, whose output is also searched for map keys and numbers.
func BenchmarkJSON(b *testing.B) {
	a := article{
		ID: 4711, Title: "Wandern in Zürich", Tags: []string{"Reise", "Schweiz", "Berge"},
		Scores:  map[string]float64{"de": 0.75, "fr": 0.5, "it": 0.25},
		Created: time.Date(2026, time.May, 1, 2, 3, 4, 5, time.UTC),
		Body:    strings.Repeat("A sentence of plain text. ", 40),
	}
	tree, err := backends.JSON[any]().Decode(must(json.Marshal(a)))
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]any, 500)
	for i := range ids {
		ids[i] = map[string]any{"id": float64(i), "name": fmt.Sprint("n", i)}
	}
	benchmark(b, "value=typed", a)
	benchmark(b, "value=any", tree)
	benchmark(b, "value=list", any(ids))
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func benchmark[V any](b *testing.B, name string, v V) {
	b.Helper()
	codec := backends.JSON[V]()
	data := must(codec.Encode(v))
	for _, op := range []struct {
		name string
		f    func() error
	}{
		{"op=encode/codec=json", func() error { _, err := json.Marshal(v); return err }},
		{"op=encode/codec=JSON", func() error { _, err := codec.Encode(v); return err }},
		{"op=decode/codec=json", func() error { var got V; return json.Unmarshal(data, &got) }},
		{"op=decode/codec=JSON", func() error { _, err := codec.Decode(data); return err }},
	} {
		b.Run(name+"/"+op.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := op.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// series holds the repetitions of one benchmark, in the order in which they
// were measured.
type series struct {
	origin string    // Package and GOMAXPROCS suffix.
	time   []float64 // Seconds per operation.
	allocs []float64 // Per operation; empty without -benchmem.
}

// results holds all benchmarks of the input.
type results struct {
	names  []string // In order of appearance.
	series map[string]*series
}

// readResults reads the output of go test -bench from files, or from stdin when
// there are none.
func readResults(files []string, stdin io.Reader) (*results, error) {
	res := &results{series: make(map[string]*series)}
	if len(files) == 0 {
		if err := res.read(stdin, "standard input"); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		if err := res.readFile(name); err != nil {
			return nil, err
		}
	}
	if len(res.names) == 0 {
		return nil, errors.New("the input has no benchmark results")
	}
	return res, nil
}

func (r *results) readFile(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(r.read(file, name), file.Close())
}

func (r *results) read(input io.Reader, name string) error {
	reader := benchfmt.NewReader(input, name)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			if err := r.add(record); err != nil {
				return err
			}
		case *benchfmt.SyntaxError:
			return record
		}
	}
	return reader.Err()
}

// add appends one measurement to the series of its benchmark.
func (r *results) add(result *benchfmt.Result) error {
	base, parts := result.Name.Parts()
	procs := ""
	if n := len(parts); n > 0 && parts[n-1][0] == '-' {
		procs = string(parts[n-1])
		parts = parts[:n-1]
	}
	var full strings.Builder
	full.Write(base)
	for _, part := range parts {
		full.Write(part)
	}
	name, origin := full.String(), result.GetConfig("pkg")+" "+procs

	s := r.series[name]
	if s == nil {
		s = &series{origin: origin}
		r.series[name] = s
		r.names = append(r.names, name)
	}
	// Repetitions are matched by their number, which means something only
	// within one package and one GOMAXPROCS.
	if s.origin != origin {
		return fmt.Errorf("%s was measured in two packages or with two values of GOMAXPROCS", name)
	}

	seconds, ok := result.Value("sec/op")
	if !ok {
		return fmt.Errorf("%s has a result without ns/op", name)
	}
	s.time = append(s.time, seconds)
	if allocs, ok := result.Value("allocs/op"); ok {
		s.allocs = append(s.allocs, allocs)
	}
	return nil
}

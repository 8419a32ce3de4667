package compresscodec

import "fmt"

// Algorithm is a way to compress.
type Algorithm int

const (
	// Zstd makes values smallest. It is the default.
	Zstd Algorithm = iota
	// S2 is several times faster than Zstd, and compresses less.
	S2
)

// String returns the algorithm's name.
func (a Algorithm) String() string {
	switch a {
	case Zstd:
		return "zstd"
	case S2:
		return "s2"
	default:
		return fmt.Sprintf("Algorithm(%d)", int(a))
	}
}

// Option configures a [Codec]. A nil Option changes nothing.
type Option interface{ apply(c config) config }

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

type config struct {
	algorithm Algorithm
	minSize   int
	maxSize   int
}

// defaults are stated in the docs of New and of the options.
var defaults = config{algorithm: Zstd, minSize: 1 << 10, maxSize: 64 << 20}

func (c config) validate() error {
	switch {
	case c.algorithm != Zstd && c.algorithm != S2:
		return fmt.Errorf("compresscodec: there is no algorithm %d: use Zstd or S2", int(c.algorithm))
	case c.minSize < 0:
		return fmt.Errorf("compresscodec: the minimal size is %d bytes: use 0 or more", c.minSize)
	case c.maxSize < 1 || c.maxSize > 1<<30:
		return fmt.Errorf("compresscodec: the maximal size is %d bytes: use 1 to 1 GiB", c.maxSize)
	default:
		return nil
	}
}

// WithAlgorithm chooses how values are compressed. Every algorithm is read, whichever is chosen.
// Default: [Zstd].
func WithAlgorithm(a Algorithm) Option {
	return optionFunc(func(c config) config { c.algorithm = a; return c })
}

// WithMinSize sets the size in bytes, before compression, from which on values are compressed.
// Default: 1 KiB. Small values gain little, and a decompression costs a microsecond or more. If it is
// above [WithMaxSize], no value is compressed, and those that are compressed are still read.
func WithMinSize(bytes int) Option {
	return optionFunc(func(c config) config { c.minSize = bytes; return c })
}

// WithMaxSize sets the largest size in bytes, without compression, of a value that is written or
// read; at most 1 GiB. Default: 64 MiB. It bounds the memory that somebody who can write to the
// store can make a reader use, by a few bytes that decompress to many.
func WithMaxSize(bytes int) Option {
	return optionFunc(func(c config) config { c.maxSize = bytes; return c })
}

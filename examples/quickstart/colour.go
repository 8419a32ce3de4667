package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

type colourMode string

const (
	colourAuto   colourMode = "auto"
	colourAlways colourMode = "always"
	colourNever  colourMode = "never"
)

// enabled reports whether output to w should have colours. See https://no-color.org for
// the variable.
func (m colourMode) enabled(w io.Writer) bool {
	if m != colourAuto {
		return m == colourAlways
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// palette colours text, or leaves it as it is when it is false.
type palette bool

func (p palette) bold(s string) string   { return p.sgr("1", s) }
func (p palette) dim(s string) string    { return p.sgr("2", s) }
func (p palette) red(s string) string    { return p.sgr("31", s) }
func (p palette) green(s string) string  { return p.sgr("32", s) }
func (p palette) yellow(s string) string { return p.sgr("33", s) }
func (p palette) alarm(s string) string  { return p.sgr("1;31", s) }

// sgr wraps s in ECMA-48's "select graphic rendition".
func (p palette) sgr(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

package redact

import (
	"unicode"
	"unicode/utf8"
)

// A view is a text after something in it was decoded. Byte i of it stands for
// the bytes from start[i] to end[i] of the text.
type view struct {
	b          []byte
	start, end []int32
}

func viewOf(text string) view {
	v := newView(len(text))
	for i := range len(text) {
		v.put(text[i], int32(i), int32(i)+1) //nolint:gosec // a text is at most a few KiB
	}
	return v
}

func newView(capacity int) view {
	spans := make([]int32, 2*capacity)
	return view{b: make([]byte, 0, capacity), start: spans[:0:capacity], end: spans[capacity:capacity]}
}

func (v *view) put(b byte, start, end int32) {
	v.b, v.start, v.end = append(v.b, b), append(v.start, start), append(v.end, end)
}

// span returns the part of the text for which the bytes from i to j stand.
func (v *view) span(i, j int) span { return span{int(v.start[i]), int(v.end[j-1])} }

// folded returns v without upper case, and with one U+FFFD for each run of bytes
// that are not UTF-8: so a key is found after somebody made its text valid.
func (v *view) folded() view {
	f := newView(len(v.b))
	for i := 0; i < len(v.b); {
		c := v.b[i]
		if c < utf8.RuneSelf {
			f.put(lower(c), v.start[i], v.end[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(v.b[i:])
		start, end := v.start[i], v.end[i+size-1]
		i += size
		if n := len(f.b); r == utf8.RuneError && n > 2 && string(f.b[n-3:]) == string(utf8.RuneError) {
			f.end[n-3], f.end[n-2], f.end[n-1] = end, end, end
			continue
		}
		var buffer [utf8.UTFMax]byte
		for _, b := range utf8.AppendRune(buffer[:0], foldRune(r)) {
			f.put(b, start, end)
		}
	}
	return f
}

// fold is folded for a text whose positions do not matter.
func fold(s string) []byte {
	b := make([]byte, 0, len(s))
	lossy := false
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			b = append(b, lower(c))
			lossy = false
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if r != utf8.RuneError || !lossy {
			b = utf8.AppendRune(b, foldRune(r))
		}
		lossy = r == utf8.RuneError
	}
	return b
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(lower(byte(r & 0x7f)))
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

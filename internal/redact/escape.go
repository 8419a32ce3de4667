package redact

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A decoder decodes the escape at the beginning of b. It appends the decoded bytes to
// dst, and returns the length of the escape, or 0 if there is none.
type decoder func(dst, b []byte) ([]byte, int)

// decoders are the ways to escape that are known. A plus sign is a space only in a
// query.
var decoders = []decoder{backslash, percent, query, entity}

// maxDepth is how many escapes may be around each other: JSON in JSON, say.
const maxDepth = 2

// views returns the text, and the text decoded in each way and in each order of two
// ways.
func views(text string) []view {
	all := []view{viewOf(text)}
	for from, depth := 0, 0; depth < maxDepth; depth++ {
		level := all[from:]
		from = len(all)
		for _, v := range level {
			for _, decode := range decoders {
				if decoded, changed := v.decoded(decode); changed {
					all = append(all, decoded)
				}
			}
		}
	}
	return all
}

func (v *view) decoded(decode decoder) (view, bool) {
	if !bytes.ContainsAny(v.b, `\%+&`) {
		return view{}, false
	}
	var buffer [16]byte
	d, changed := newView(len(v.b)), false
	for i := 0; i < len(v.b); {
		out, n := decode(buffer[:0], v.b[i:])
		if n == 0 {
			d.put(v.b[i], v.start[i], v.end[i])
			i++
			continue
		}
		changed = true
		for _, b := range out {
			d.put(b, v.start[i], v.end[i+n-1])
		}
		i += n
	}
	return d, changed
}

// backslash decodes the escapes of Go, C, JSON and JavaScript.
func backslash(dst, b []byte) ([]byte, int) {
	if len(b) < 2 || b[0] != '\\' {
		return dst, 0
	}
	switch c := b[1]; c {
	case 'x':
		if n, ok := number(b, 2, 2, 16); ok {
			return append(dst, byte(n&0xff)), 4
		}
	case 'u':
		return unicodeEscape(dst, b)
	case 'U':
		if n, ok := number(b, 2, 8, 16); ok {
			return utf8.AppendRune(dst, n), 10
		}
	case '0', '1', '2', '3':
		if n, ok := number(b, 1, 3, 8); ok {
			return append(dst, byte(n&0xff)), 4
		}
		if c == '0' {
			return append(dst, 0), 2
		}
	case '\\', '"', '\'', '`', '/':
		return append(dst, c), 2
	default:
		if i := bytes.IndexByte([]byte("abtnvfre"), c); i >= 0 {
			return append(dst, "\a\b\t\n\v\f\r\x1b"[i]), 2
		}
	}
	return dst, 0
}

// unicodeEscape decodes \u1234, two of which may be a surrogate pair, and \u{1234}.
func unicodeEscape(dst, b []byte) ([]byte, int) {
	if end := bytes.IndexByte(b[:min(len(b), 11)], '}'); end > 3 && b[2] == '{' {
		if n, ok := number(b, 3, end-3, 16); ok {
			return utf8.AppendRune(dst, n), end + 1
		}
	}
	first, ok := number(b, 2, 4, 16)
	if !ok {
		return dst, 0
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		if second, ok := number(b, 8, 4, 16); ok {
			if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
				return utf8.AppendRune(dst, r), 12
			}
		}
	}
	return utf8.AppendRune(dst, first), 6
}

// percent decodes the escapes of a URL.
func percent(dst, b []byte) ([]byte, int) {
	if b[0] != '%' {
		return dst, 0
	}
	n, ok := number(b, 1, 2, 16)
	if !ok {
		return dst, 0
	}
	return append(dst, byte(n&0xff)), 3
}

// query decodes the escapes of the query of a URL.
func query(dst, b []byte) ([]byte, int) {
	if b[0] == '+' {
		return append(dst, ' '), 1
	}
	return percent(dst, b)
}

// entity decodes the escapes of HTML and XML.
func entity(dst, b []byte) ([]byte, int) {
	if b[0] != '&' {
		return dst, 0
	}
	end := bytes.IndexByte(b[:min(len(b), 11)], ';')
	if end < 3 {
		return dst, 0
	}
	switch name := string(b[1:end]); name {
	case "amp":
		return append(dst, '&'), end + 1
	case "lt":
		return append(dst, '<'), end + 1
	case "gt":
		return append(dst, '>'), end + 1
	case "quot":
		return append(dst, '"'), end + 1
	case "apos":
		return append(dst, '\''), end + 1
	}
	if b[1] != '#' {
		return dst, 0
	}
	digits, base := 2, 10
	if b[2] == 'x' || b[2] == 'X' {
		digits, base = 3, 16
	}
	n, ok := number(b, digits, end-digits, base)
	if !ok {
		return dst, 0
	}
	return utf8.AppendRune(dst, n), end + 1
}

// number parses count digits, at most ten, from b[at].
func number(b []byte, at, count, base int) (int32, bool) {
	if count < 1 || at+count > len(b) {
		return 0, false
	}
	n := 0
	for _, c := range b[at : at+count] {
		digit := int(hexDigit(c))
		if digit >= base {
			return 0, false
		}
		n = n*base + digit
	}
	return int32(n), n <= unicode.MaxRune //nolint:gosec // it is at most that
}

// hexDigit returns the value of a digit, or 16.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	default:
		return 16
	}
}

func isHex(c byte) bool { return hexDigit(c) < 16 }

package redact

import "bytes"

// A block is a part of a text that may be bytes in an encoding that leaves none
// of them readable.
type block struct {
	span  span
	bytes []byte
	whole bool // it is decoded from its beginning, not from within a character
}

// A reader collects the blocks of a text. It keeps their bytes one after the
// other, because most blocks are mere words and of no further use.
type reader struct {
	least  int // bytes that a block has at least
	bytes  []byte
	blocks []block
}

// add makes a block of the bytes that were appended to r.bytes since from.
func (r *reader) add(s span, from int, whole bool) {
	if len(r.bytes)-from < r.least {
		r.bytes = r.bytes[:from]
		return
	}
	r.blocks = append(r.blocks, block{s, r.bytes[from:len(r.bytes):len(r.bytes)], whole})
}

// read finds all parts of v that may be encoded bytes.
func (r *reader) read(v *view) {
	r.pairs(v)
	r.decimals(v)
	for i := 0; i < len(v.b); {
		j := i
		for j < len(v.b) && isBase64(v.b[j]) {
			j++
		}
		if j-i >= r.least*8/6 {
			r.base64(v, i, j)
			r.oddPairs(v, i, j)
		}
		i = max(j, i+1)
	}
}

// pairs finds pairs of hexadecimal digits, next to each other or as in "75 73",
// "75:73", "0x75, 0x73".
func (r *reader) pairs(v *view) {
	r.list(v, func(b []byte) (byte, int) {
		if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
			if n, ok := number(b, 2, 2, 16); ok {
				return byte(n & 0xff), 4
			}
			n, ok := number(b, 2, 1, 16) // %#v prints 0x0
			return byte(n & 0xff), length(3, ok)
		}
		n, ok := number(b, 0, 2, 16)
		return byte(n & 0xff), length(2, ok)
	})
}

// decimals finds lists of bytes such as [117 115 101].
func (r *reader) decimals(v *view) {
	r.list(v, func(b []byte) (byte, int) {
		n := 0
		for n < len(b) && '0' <= b[n] && b[n] <= '9' {
			n++
		}
		if n == 0 {
			return 0, 0
		}
		// The next character must end it: otherwise the digits of one number would be a
		// list.
		if n > 3 || n < len(b) && bytes.IndexByte([]byte(" ,]})"), b[n]) < 0 {
			return 0, 0
		}
		value, ok := number(b, 0, n, 10)
		return byte(value & 0xff), length(n, ok && value < 256)
	})
}

// list finds lists of encoded bytes. Decode returns a byte and the length of its
// encoding at the start of b.
func (r *reader) list(v *view, decode func(b []byte) (byte, int)) {
	from, first, last := len(r.bytes), 0, 0
	flush := func() {
		if len(r.bytes) > from {
			r.add(v.span(first, last), from, true)
		}
		from = len(r.bytes)
	}
	for i := 0; i < len(v.b); {
		c, n := decode(v.b[i:])
		if n == 0 {
			if len(r.bytes) > from && (i >= last+2 || bytes.IndexByte([]byte(" ,:-"), v.b[i]) < 0) {
				flush()
			}
			i++
			continue
		}
		if len(r.bytes) == from {
			first = i
		}
		r.bytes = append(r.bytes, c)
		i += n
		last = i
	}
	flush()
}

// oddPairs decodes the hexadecimal digits from i to j in the way that pairs does
// not: from the second one.
func (r *reader) oddPairs(v *view, i, j int) {
	for ; i < j; i++ {
		end := i
		for end < j && isHex(v.b[end]) {
			end++
		}
		if end-i > 2 {
			from := len(r.bytes)
			for at := i + 1; at+2 <= end; at += 2 {
				r.bytes = append(r.bytes, hexDigit(v.b[at])<<4|hexDigit(v.b[at+1]))
			}
			r.add(v.span(i, end), from, false)
		}
		i = end
	}
}

// base64 decodes the characters from i to j from each of the first four.
func (r *reader) base64(v *view, i, j int) {
	end := j
	for end < len(v.b) && v.b[end] == '=' && end < j+2 {
		end++
	}
	for skip := range 4 {
		from := len(r.bytes)
		bits, have := uint32(0), 0
		for _, c := range v.b[min(i+skip, j):j] {
			bits, have = bits<<6|uint32(sextet(c)), have+6
			if have >= 8 {
				have -= 8
				r.bytes = append(r.bytes, byte(bits>>have&0xff))
			}
		}
		r.add(v.span(i, end), from, skip == 0)
	}
}

func isBase64(c byte) bool { return sextet(c) < 64 }

// sextet returns the value of a character of either alphabet, or 64.
func sextet(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+', c == '-':
		return 62
	case c == '/', c == '_':
		return 63
	default:
		return 64
	}
}

func length(n int, ok bool) int {
	if ok {
		return n
	}
	return 0
}

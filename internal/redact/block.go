package redact

import "bytes"

// A block is a part of a text that may be bytes in an encoding that leaves none
// of them readable.
type block struct {
	span  span
	bytes []byte
	whole bool // it is decoded from its beginning, not from within a character
}

// blocks returns all that may be encoded bytes, of at least least bytes.
func (v *view) blocks(least int) []block {
	var all []block
	add := func(b block) {
		if len(b.bytes) >= least {
			all = append(all, b)
		}
	}
	v.pairs(add)
	v.decimals(add)
	for i := 0; i < len(v.b); {
		j := i
		for j < len(v.b) && isBase64(v.b[j]) {
			j++
		}
		if j-i >= least*8/6 {
			v.base64(i, j, add)
		}
		// In the middle of a number that is not to be split, both ways to group
		// its digits are tried; from its beginning, pairs has done that.
		v.oddPairs(i, j, add)
		i = max(j, i+1)
	}
	return all
}

// pairs finds pairs of hexadecimal digits, next to each other or as in "75 73",
// "75:73", "0x75, 0x73".
func (v *view) pairs(add func(block)) {
	v.list(add, func(b []byte) (byte, int) {
		if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
			if n, ok := number(b, 2, 2, 16); ok {
				return byte(n), 4
			}
			n, ok := number(b, 2, 1, 16) // %#v prints 0x0
			return byte(n), length(3, ok)
		}
		n, ok := number(b, 0, 2, 16)
		return byte(n), length(2, ok)
	})
}

// decimals finds lists of bytes such as [117 115 101].
func (v *view) decimals(add func(block)) {
	v.list(add, func(b []byte) (byte, int) {
		n := 0
		for n < len(b) && '0' <= b[n] && b[n] <= '9' {
			n++
		}
		// What follows has to end it, or the digits of one number were a list.
		if n > 3 || n < len(b) && bytes.IndexByte([]byte(" ,]})"), b[n]) < 0 {
			return 0, 0
		}
		value, ok := number(b, 0, n, 10)
		return byte(value), length(n, ok && value < 256)
	})
}

// list finds lists of what decode finds, which returns a byte and how much of b
// it was decoded from.
func (v *view) list(add func(block), decode func(b []byte) (byte, int)) {
	var list []byte
	first, last := 0, 0
	flush := func() {
		if len(list) > 0 {
			add(block{v.span(first, last), list, true})
		}
		list = nil
	}
	for i := 0; i < len(v.b); {
		c, n := decode(v.b[i:])
		if n == 0 {
			if separators := bytes.IndexByte([]byte(" ,:-"), v.b[i]) >= 0; !separators || i >= last+2 {
				flush()
			}
			i++
			continue
		}
		if len(list) == 0 {
			first = i
		}
		list = append(list, c)
		i += n
		last = i
	}
	flush()
}

// oddPairs decodes the hexadecimal digits from i to j in the way that pairs does
// not: from the second one.
func (v *view) oddPairs(i, j int, add func(block)) {
	for ; i < j; i++ {
		end := i
		for end < j && isHex(v.b[end]) {
			end++
		}
		if end-i > 2 {
			var list []byte
			for at := i + 1; at+2 <= end; at += 2 {
				n, _ := number(v.b, at, 2, 16)
				list = append(list, byte(n))
			}
			add(block{v.span(i, end), list, false})
		}
		i = end
	}
}

// base64 decodes the characters from i to j from each of the first four.
func (v *view) base64(i, j int, add func(block)) {
	end := j
	for end < len(v.b) && v.b[end] == '=' && end < j+2 {
		end++
	}
	for skip := range 4 {
		var list []byte
		bits, have := uint32(0), 0
		for _, c := range v.b[min(i+skip, j):j] {
			bits, have = bits<<6|uint32(sextet(c)), have+6
			if have >= 8 {
				have -= 8
				list = append(list, byte(bits>>have))
			}
		}
		add(block{v.span(i, end), list, skip == 0})
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

package backends

import "bytes"

// jsonMarks are traces of possible losses in the output of json.Marshal.
type jsonMarks struct {
	escapes    int    // of U+FFFD, which stands for bytes that are not UTF-8
	duplicates int    // names that follow an equal one: Marshal sorts the keys of a map
	numbers    uint64 // a sum over the numbers that a float64 may not hold
}

// replacement is the output of Marshal for bytes that are not UTF-8. It writes a U+FFFD
// of the value itself as it is.
var replacement = []byte(`\ufffd`)

// marksOf looks for the marks that the type may leave.
func (t jsonTraits) marksOf(data []byte) (m jsonMarks) {
	if t.scan {
		m = scanMarks(data)
	}
	m.escapes = bytes.Count(data, replacement)
	return m
}

// lostIn returns the error for marks that are not in the output for the value
// that was decoded from the first output.
func (m jsonMarks) lostIn(again jsonMarks) error {
	switch {
	case again.escapes != m.escapes:
		return errTextNotUTF8
	case again.duplicates != m.duplicates:
		return errKeysCollide
	case again.numbers != m.numbers:
		return errNumberTooLong
	}
	return nil
}

// maxExactDigits is how many digits every float64 keeps.
const maxExactDigits = 15

// scanMarks reads data, which is compact JSON, once.
func scanMarks(data []byte) (m jsonMarks) {
	names := make([][]byte, 0, 16) // the last name in each object that is open
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == '"':
			end := endOfString(data, i+1)
			if end < len(data) && data[end] == ':' && len(names) > 0 {
				name, last := data[i:end], &names[len(names)-1]
				if bytes.Equal(name, *last) {
					m.duplicates++
				}
				*last = name
			}
			i = end
		case c == '{':
			names = append(names, nil)
			i++
		case c == '}':
			names = names[:max(len(names)-1, 0)]
			i++
		case c == '-' || '0' <= c && c <= '9':
			end, sum := number(data, i)
			m.numbers += sum
			i = end
		default:
			i++
		}
	}
	return m
}

// endOfString returns the index after the quote that ends the string whose first
// byte is at i.
func endOfString(data []byte, i int) int {
	for start := i; ; {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		i += n + 1
		slashes := 0
		for k := i - 2; k >= start && data[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
}

// number returns the index after the number at i, and a hash of it (FNV-1a) if it
// is one that a float64 may not hold.
func number(data []byte, i int) (end int, sum uint64) {
	sum = 14695981039346656037
	start, exponent := i, false
	for ; i < len(data); i++ {
		switch c := data[i]; c {
		case ',', ']', '}', ':':
			return i, sumOf(i-start, exponent, sum)
		case 'e', 'E':
			exponent = true
			fallthrough
		default:
			sum = (sum ^ uint64(c)) * 1099511628211
		}
	}
	return i, sumOf(i-start, exponent, sum)
}

func sumOf(size int, exponent bool, sum uint64) uint64 {
	if size <= maxExactDigits && !exponent {
		return 0
	}
	return sum
}

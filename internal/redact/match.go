package redact

// A matcher finds how much of the beginning of a pattern there is where, by the
// algorithm of Knuth, Morris and Pratt, "Fast Pattern Matching in Strings" (1977).
type matcher struct {
	pattern []byte
	// border[i] is the length of the longest beginning of the pattern that also
	// ends its first i bytes, and is shorter than these.
	border []int
}

func newMatcher(pattern []byte) matcher {
	m := matcher{pattern: pattern, border: make([]int, len(pattern)+1)}
	length := 0
	for i := 1; i < len(pattern); i++ {
		length = m.next(length, pattern[i])
		m.border[i+1] = length
	}
	return m
}

// next returns how much of the pattern ends with c, if length of it ended before.
func (m *matcher) next(length int, c byte) int {
	for length > 0 && (length == len(m.pattern) || m.pattern[length] != c) {
		length = m.border[length]
	}
	if m.pattern[length] == c {
		length++
	}
	return length
}

// run returns, for each i from 0 to the length of b, the length of the longest
// beginning of the pattern that ends at i.
func (m *matcher) run(b []byte) []int {
	lengths, length := make([]int, len(b)+1), 0
	for i, c := range b {
		length = m.next(length, c)
		lengths[i+1] = length
	}
	return lengths
}

package redact

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

const (
	// longRun is the number of consecutive bytes of the key that must not remain in a
	// text.
	longRun = 8
	// blockRun is the number of consecutive bytes of the key that show that a block
	// contains the key: they are eight hexadecimal digits.
	blockRun = 4
	// exactKey is the length of the shortest key that is found in another case,
	// and encoded: "a" is not the article at the beginning of a sentence.
	exactKey = 3
)

// A pattern finds one key.
type pattern struct {
	key    string
	folded []byte
	// The next two find the beginnings and the ends of the key; neither is longer
	// than the longest text.
	forward, backward matcher
}

func newPattern(key string) *pattern {
	p := &pattern{key: key, folded: []byte(key)}
	if len(key) >= exactKey {
		p.folded = fold(key)
	}
	n := min(len(p.folded), 2*maxText)
	p.forward = newMatcher(p.folded[:n])
	reversed := slices.Clone(p.folded[len(p.folded)-n:])
	slices.Reverse(reversed)
	p.backward = newMatcher(reversed)
	return p
}

func (p *pattern) short() bool { return len(p.key) < shortKey }

// find returns where text quotes the key, and false if it does so in a way that
// is not fully recognised.
func (p *pattern) find(text string) ([]span, bool) {
	spans := p.masked(text)
	all := views(text)
	for i := range all {
		spans = p.inRune(spans, &all[i])
		v := p.fold(&all[i])
		spans = p.quotes(spans, &v)
	}
	if len(p.key) < exactKey {
		return spans, true
	}
	blocks, ok := p.encoded(text, all)
	return append(spans, blocks...), ok
}

// leaks reports whether text, from which the key was taken, still has a part of it. It
// does not look for a short key, whose remains are parts of words. Searched says that
// find has found nothing in this text.
func (p *pattern) leaks(text string, searched bool) bool {
	if p.short() {
		return false
	}
	if p.hasDigits(text) {
		return true
	}
	all := views(text)
	plain := [][]byte{all[0].b}
	for i := range all {
		v := p.fold(&all[i])
		if !searched && len(p.inRune(p.quotes(nil, &v), &all[i])) > 0 {
			return true
		}
		plain = append(plain, v.b)
	}
	if len(p.shared(plain, longRun)) > 0 {
		return true
	}
	if searched {
		return false
	}
	blocks, ok := p.encoded(text, all)
	return !ok || len(blocks) > 0
}

func (p *pattern) fold(v *view) view {
	if len(p.key) < exactKey {
		return *v
	}
	return v.folded()
}

// quotes finds the key, and the parts of it that an ellipsis ends or begins.
func (p *pattern) quotes(spans []span, v *view) []span {
	if len(v.b) == 0 {
		return spans
	}
	starts := p.forward.run(v.b) // starts[i]: how much of the key's beginning ends at i
	if n := len(p.folded); n == len(p.forward.pattern) {
		for i, length := range starts {
			if length == n && (!p.short() || alone(v.b, i-n, i)) {
				spans = append(spans, v.span(i-n, i))
			}
		}
	}
	if p.short() {
		return spans
	}
	reversed := slices.Clone(v.b)
	slices.Reverse(reversed)
	ends := p.backward.run(reversed)
	slices.Reverse(ends) // ends[i]: how much of the key's end begins at i
	for i := 0; ; {
		before, after, found := nextEllipsis(v.b, i)
		least := p.leastCut()
		if !found { // The ends of the text cut too, but a few letters are no sign.
			before, least = len(v.b), longRun
		}
		if j := skipQuotes(v.b, before, -1); starts[j] >= least {
			spans = append(spans, v.span(j-starts[j], j))
		}
		if !found {
			break
		}
		if j := skipQuotes(v.b, after, 1); ends[j] >= least {
			spans = append(spans, v.span(j, j+ends[j]))
		}
		i = after
	}
	if j := skipQuotes(v.b, 0, 1); ends[j] >= longRun {
		spans = append(spans, v.span(j, j+ends[j]))
	}
	return spans
}

// inRune finds a key that is not UTF-8 and begins or ends within a character,
// which would not be the same character after folding.
func (p *pattern) inRune(spans []span, v *view) []span {
	if p.short() || utf8.ValidString(p.key) {
		return spans
	}
	key := []byte(p.key)
	for from := 0; ; {
		i := bytes.Index(v.b[from:], key)
		if i < 0 {
			return spans
		}
		spans = append(spans, v.span(from+i, from+i+len(key)))
		from += i + len(key)
	}
}

// leastCut is how much of a key, next to an ellipsis, is taken for a part of it.
func (p *pattern) leastCut() int { return max(4, min(shortKey, (len(p.folded)+1)/2)) }

// nextEllipsis returns the place of the next ellipsis at or after i.
func nextEllipsis(b []byte, i int) (before, after int, found bool) {
	for ; i < len(b); i++ {
		switch rest := b[i:]; {
		case bytes.HasPrefix(rest, []byte("...")):
			after = i + 3
			for after < len(b) && b[after] == '.' {
				after++
			}
			return i, after, true
		case bytes.HasPrefix(rest, []byte(ellipsis)):
			return i, i + len(ellipsis), true
		}
	}
	return 0, 0, false
}

// skipQuotes moves i over quotation marks, brackets and spaces.
func skipQuotes(b []byte, i, step int) int {
	for range 3 {
		at := i
		if step < 0 {
			at--
		}
		if at < 0 || at >= len(b) || bytes.IndexByte([]byte("\"'`([{<)]}> "), b[at]) < 0 {
			break
		}
		i += step
	}
	return i
}

// alone reports whether b[i:j] is a word: no letter or digit is next to it, nor
// the point of a number.
func alone(b []byte, i, j int) bool {
	before, _ := utf8.DecodeLastRune(b[:i])
	after, _ := utf8.DecodeRune(b[j:])
	switch {
	case i > 0 && inWord(before), j < len(b) && inWord(after):
		return false
	case i > 1 && before == '.' && isDigit(b[i-2]) && isDigit(b[i]):
		return false
	case j+1 < len(b) && after == '.' && isDigit(b[j+1]) && isDigit(b[j-1]):
		return false
	default:
		return true
	}
}

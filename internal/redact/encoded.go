package redact

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// encoded returns the blocks of the views of text that are the key or have it
// inside. It returns false if there is one with no more than a part of the key,
// unless the text shows that it was cut there.
func (p *pattern) encoded(text string, views []view) ([]span, bool) {
	least := blockRun
	if p.short() {
		least = exactKey
	}
	r := reader{least: least}
	for i := range min(len(views), 1+len(decoders)) { // more decoding is not for blocks
		r.read(&views[i])
	}
	all := r.blocks
	if p.short() {
		return p.equal(all), true
	}
	texts := make([][]byte, 0, 2*len(all))
	for i := range all {
		texts = append(texts, all[i].bytes, all[i].folded(&r))
	}
	shared := p.shared(texts, blockRun)
	if len(shared) == 0 {
		return nil, true
	}
	var found, parts []span
	for i, b := range all {
		raw, folded := texts[2*i], texts[2*i+1]
		if !hasAny(raw, shared) && !hasAny(folded, shared) {
			continue
		}
		if bytes.Contains(raw, []byte(p.key)) || bytes.Contains(folded, p.folded) || p.cut(text, b.span, raw, folded) {
			found = append(found, b.span)
		} else {
			parts = append(parts, b.span)
		}
	}
	for _, part := range parts { // It may be another way to read one that was found.
		if !slices.ContainsFunc(found, func(s span) bool { return s.start < part.end && part.start < s.end }) {
			return nil, false
		}
	}
	return found, true
}

// folded returns the bytes without upper case. Those that are not UTF-8 become
// one that no folded key has: random bytes are full of them, and they all would
// look like those of any binary key.
func (b *block) folded(r *reader) []byte {
	from := len(r.bytes)
	for rest := b.bytes; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		if c == utf8.RuneError {
			r.bytes = append(r.bytes, 0xff)
		} else {
			r.bytes = utf8.AppendRune(r.bytes, foldRune(c))
		}
	}
	return r.bytes[from:len(r.bytes):len(r.bytes)]
}

// equal returns the blocks that are a short key.
func (p *pattern) equal(blocks []block) []span {
	var found []span
	for _, b := range blocks {
		if b.whole && (string(b.bytes) == p.key || bytes.Equal(fold(string(b.bytes)), p.folded)) {
			found = append(found, b.span)
		}
	}
	return found
}

// cut reports whether the bytes of a block end with the beginning of the key, and
// its text with an ellipsis or nothing.
func (p *pattern) cut(text string, s span, raw, folded []byte) bool {
	rest := text[s.end:]
	if rest != "" && !strings.HasPrefix(rest, "...") && !strings.HasPrefix(rest, ellipsis) {
		return false
	}
	for n := min(len(raw), len(p.key)); n >= blockRun; n-- {
		if bytes.HasSuffix(raw, []byte(p.key[:n])) {
			return true
		}
	}
	return len(folded) > 0 && p.forward.run(folded)[len(folded)] >= blockRun
}

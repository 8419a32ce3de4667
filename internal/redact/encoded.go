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

// shared returns the runs of n bytes, at most eight, that a text has in common
// with the key as it is or with the folded key. The texts are indexed, and not
// the key, because they are the shorter ones if it matters.
func (p *pattern) shared(texts [][]byte, n int) map[uint64]bool {
	count := 0
	for _, text := range texts {
		count += len(text)
	}
	index := newRunSet(count)
	for _, text := range texts {
		for run := range runs(text, n) {
			index.add(run)
		}
	}
	var shared map[uint64]bool
	collect := func(key []byte) {
		for run := range runs(key, n) {
			if index.has(run) {
				if shared == nil {
					shared = map[uint64]bool{}
				}
				shared[run] = true
			}
		}
	}
	raw := []byte(p.key)
	collect(raw)
	if !bytes.Equal(raw, p.folded) {
		collect(p.folded)
	}
	return shared
}

func hasAny(text []byte, set map[uint64]bool) bool {
	for run := range runs(text, blockRun) {
		if set[run] {
			return true
		}
	}
	return false
}

// runs yields every run of n bytes of b, packed into a number.
func runs(b []byte, n int) func(yield func(uint64) bool) {
	mask := ^uint64(0) >> (64 - 8*n)
	return func(yield func(uint64) bool) {
		run := uint64(0)
		for i, c := range b {
			run = (run<<8 | uint64(c)) & mask
			if i >= n-1 && !yield(run) {
				return
			}
		}
	}
}

// A runSet is a set of numbers with open addressing. It is faster than a map by
// far for the many look-ups that a long key needs.
type runSet struct {
	slots   []uint64
	shift   int
	hasZero bool
}

func newRunSet(count int) *runSet {
	s := &runSet{slots: make([]uint64, 8), shift: 61}
	for len(s.slots) < 2*count {
		s.slots = make([]uint64, 2*len(s.slots))
		s.shift--
	}
	return s
}

func (s *runSet) slot(n uint64) int {
	for i := int(n * 0x9e3779b97f4a7c15 >> s.shift); ; i = (i + 1) & (len(s.slots) - 1) { //nolint:gosec // it is less than the number of slots
		if at := s.slots[i]; at == 0 || at == n {
			return i
		}
	}
}

func (s *runSet) add(n uint64) {
	if n == 0 {
		s.hasZero = true
		return
	}
	s.slots[s.slot(n)] = n
}

func (s *runSet) has(n uint64) bool {
	if n == 0 {
		return s.hasZero
	}
	return s.slots[s.slot(n)] == n
}

package redact

import (
	"bytes"
	"encoding/hex"
)

// shared returns the runs of n bytes, at most eight, that a text has in common
// with the key as it is or with the folded key.
func (p *pattern) shared(texts [][]byte, n int) map[uint64]bool {
	raw := []byte(p.key)
	if bytes.Equal(raw, p.folded) {
		return shared(texts, n, raw)
	}
	return shared(texts, n, raw, p.folded)
}

// shared indexes the texts, and not the keys, because they are the shorter ones
// if it matters.
func shared(texts [][]byte, n int, keys ...[]byte) map[uint64]bool {
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
	var found map[uint64]bool
	for _, key := range keys {
		for run := range runs(key, n) {
			if index.has(run) {
				if found == nil {
					found = map[uint64]bool{}
				}
				found[run] = true
			}
		}
	}
	return found
}

// hasDigits reports whether text has eight characters in a row of the key in
// hexadecimal or base64. They begin and end within bytes of the key, so decoding them
// does not help.
func (p *pattern) hasDigits(text string) bool {
	digits := words(text, longRun, hexDigit, 16)
	if len(digits) > 0 {
		key := []byte(hex.EncodeToString([]byte(p.key)))
		for i, c := range key {
			key[i] = hexDigit(c)
		}
		if len(shared(digits, longRun, key)) > 0 {
			return true
		}
	}
	sextets := words(text, longRun, sextet, 64)
	if len(sextets) == 0 {
		return false
	}
	var keys [][]byte
	for skip := range min(3, len(p.key)) { // it may begin with each of three bytes
		keys = append(keys, sextetsOf(p.key[skip:]))
	}
	return len(shared(sextets, longRun, keys...)) > 0
}

// words returns the values of the characters of each word of at least least
// characters that have one below limit.
func words(text string, least int, value func(byte) byte, limit byte) [][]byte {
	var all [][]byte
	for i := 0; i < len(text); {
		j := i
		for j < len(text) && value(text[j]) < limit {
			j++
		}
		if j-i >= least {
			word := []byte(text[i:j])
			for k, c := range word {
				word[k] = value(c)
			}
			all = append(all, word)
		}
		i = j + 1
	}
	return all
}

// sextetsOf returns the groups of six bits of s.
func sextetsOf(s string) []byte {
	out := make([]byte, 0, len(s)*8/6+1)
	bits, have := uint32(0), 0
	for i := range len(s) {
		for bits, have = bits<<8|uint32(s[i]), have+8; have >= 6; {
			have -= 6
			out = append(out, byte(bits>>have&63))
		}
	}
	return out
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

package redact

import (
	"strings"
	"unicode/utf8"
)

// masked finds the key after somebody put a dot or a question mark in place of
// each byte, or of each character, that is not printable ASCII: a hex dump does.
func (p *pattern) masked(text string) []span {
	if p.short() || len(p.key) > maxText || !strings.ContainsFunc(p.key, masks) {
		return nil
	}
	var spans []span
	for _, mask := range []string{".", "?"} {
		for _, form := range []string{maskRunes(p.key, mask), maskBytes(p.key, mask)} {
			if strings.Trim(form, mask) == "" {
				continue
			}
			for from := 0; ; {
				i := strings.Index(text[from:], form)
				if i < 0 {
					break
				}
				spans = append(spans, span{from + i, from + i + len(form)})
				from += i + len(form)
			}
		}
	}
	return spans
}

func masks(r rune) bool { return r < ' ' || r >= 0x7f }

func maskRunes(key, mask string) string {
	var b strings.Builder
	for _, r := range key {
		if masks(r) {
			b.WriteString(mask)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func maskBytes(key, mask string) string {
	var b strings.Builder
	for _, r := range []byte(key) {
		if r >= utf8.RuneSelf || masks(rune(r)) {
			b.WriteString(mask)
		} else {
			b.WriteByte(r)
		}
	}
	return b.String()
}

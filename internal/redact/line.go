package redact

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line returns s as one line of valid UTF-8 of at most [MaxLen] bytes. Line breaks
// become "; ", other characters that do not print are escaped, and invalid UTF-8
// becomes U+FFFD.
func line(s string) string {
	if clean(s) {
		return cut(s, MaxLen)
	}
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(s, lineBreak) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if before := b.String(); before != "" {
			if !strings.ContainsRune(":;,([{", rune(before[len(before)-1])) {
				b.WriteByte(';')
			}
			b.WriteByte(' ')
		}
		writePrintable(&b, part)
	}
	return cut(b.String(), MaxLen)
}

func clean(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func lineBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	default:
		return false
	}
}

func writePrintable(b *strings.Builder, s string) {
	for _, r := range s {
		switch {
		case unicode.IsPrint(r): // U+FFFD too, which stands for an invalid byte
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r < utf8.RuneSelf:
			fmt.Fprintf(b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			fmt.Fprintf(b, `\U%08x`, r)
		}
	}
}

// cut shortens s to limit bytes, between two characters, and shows that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - len(ellipsis)
	for back := 0; back < utf8.UTFMax && end > 0 && !utf8.RuneStart(s[end]); back++ {
		end--
	}
	return s[:end] + ellipsis
}

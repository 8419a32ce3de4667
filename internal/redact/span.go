package redact

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// A span is a part of a text.
type span struct{ start, end int }

// replace puts the placeholder in place of the spans. Those that overlap are one.
func replace(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	done := 0
	for i := 0; i < len(spans); {
		start, end := spans[i].start, spans[i].end
		for i++; i < len(spans) && spans[i].start < end; i++ {
			end = max(end, spans[i].end)
		}
		b.WriteString(text[done:start])
		b.WriteString(placeholder)
		done = end
	}
	return b.String() + text[done:]
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

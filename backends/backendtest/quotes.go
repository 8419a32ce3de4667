package backendtest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// quotes reports whether text contains secret, as it is or in an encoding, in
// capitals or not.
func quotes(text, secret string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(formsOf(secret), func(form string) bool {
		return strings.Contains(text, strings.ToLower(form))
	})
}

// formsOf returns the forms of secret as escaped text, as numbers and in base64.
func formsOf(secret string) []string {
	quoted := strconv.QuoteToASCII(secret)
	forms := []string{secret, quoted[1 : len(quoted)-1], url.QueryEscape(secret), url.PathEscape(secret)}
	for _, format := range []string{"%02x", "%x", "0x%02x", `\x%02x`, "%%%02x", `\u%04x`, `\%03o`, "%03o", "%d", "%08b"} {
		for _, separator := range []string{"", " ", ",", ", ", ":", "-"} {
			forms = append(forms, join(secret, format, separator))
		}
	}
	// Where a byte begins in a group of three makes a difference.
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
			first, last := (before*8+5)/6, (before+len(secret))*8/6
			forms = append(forms, encoded[first:last])
		}
	}
	return forms
}

func join(secret, format, separator string) string {
	var b strings.Builder
	for i := range len(secret) {
		if i > 0 {
			b.WriteString(separator)
		}
		fmt.Fprintf(&b, format, secret[i])
	}
	return b.String()
}

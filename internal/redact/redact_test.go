package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/redact"
)

const withheld = "text withheld: it may quote the key"

func TestString(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ key, text, want string }{
		"no key in it":              {"user:42", "connection refused", "connection refused"},
		"an empty key":              {"", "connection refused", "connection refused"},
		"an empty text":             {"user:42", "", ""},
		"as it is":                  {"user:42", "no such key: user:42", "no such key: [key]"},
		"only it":                   {"user:42", "user:42", "[key]"},
		"in the middle of words":    {"user:42", "prefixuser:42suffix twice user:42", "prefix[key]suffix twice [key]"},
		"twice, next to each other": {"user:42", "user:42user:42", "[key][key]"},
		"that overlaps itself":      {"abcabcabc", "in abcabcabcabc.", "in [key]."},
		"in upper case":             {"user:müller:42", "no USER:MÜLLER:42", "no [key]"},
		"in another case":           {"İstanbul:ſtreet:K", "no istanbul:Street:k", "no [key]"},
		"not UTF-8":                 {"Z\xfcrich:customer", "bad Z\xfcrich:customer", "bad [key]"},
		"made UTF-8":                {"Z\xfcrich:customer", "bad Z\ufffdrich:customer", "bad [key]"},
		"several bytes made UTF-8":  {"id:\x80\x81\x82:cart", "bad id:\ufffd:cart, or id:\ufffd\ufffd\ufffd:cart", "bad [key], or [key]"},
		"with a line break":         {"line1\nline2", "bad line1\nline2", "bad [key]"},

		"a Go string":          {"a\x00bcdef\xff", `bad key "a\x00bcdef\xff"`, `bad key "[key]"`},
		"an ASCII string":      {"größe:42", `bad key "gr\u00f6\u00dfe:42"`, `bad key "[key]"`},
		"an emoji in ASCII":    {"cart:😀:42", `bad "cart:\U0001f600:42" and "cart:\ud83d\ude00:42"`, `bad "[key]" and "[key]"`},
		"octal":                {"user\n:42", `bad user\012:42`, `bad [key]`},
		"JavaScript":           {"user\n:42", `bad user\u{a}:42`, `bad [key]`},
		"a JSON string":        {"a&b<c>:42", `bad "a\u0026b\u003cc\u003e:42"`, `bad "[key]"`},
		"JSON in JSON":         {"say \"hi\":42", `bad "say \\\"hi\\\":42"`, `bad "[key]"`},
		"a path":               {"user/é 42", "GET http://10.0.0.1/user%2F%C3%A9%2042?x=1", "GET http://10.0.0.1/[key]?x=1"},
		"a path in lower case": {"user/é 42", "GET /user%2f%c3%a9%2042", "GET /[key]"},
		"a query":              {"a b&c=d+e", "GET /?k=a+b%26c%3Dd%2Be", "GET /?k=[key]"},
		"a query in JSON":      {"a b&c=d\"e", `{"q":"a+b%26c%3Dd\u002522e"}`, `{"q":"[key]"}`},
		"XML":                  {"a&b<c>:42", "<Key>a&amp;b&lt;c&gt;:42</Key>", "<Key>[key]</Key>"},
		"XML by numbers":       {"it's \"42\"", "<Key>it&#39;s &#x22;42&#34;</Key>", "<Key>[key]</Key>"},

		"hexadecimal":                     {"user:42", "bad 757365723a3432", "bad [key]"},
		"with a prefix":                   {"user:42", "bad 0x757365723A3432.", "bad [key]."},
		"with spaces":                     {"user:42", "bad [75 73 65 72 3a 34 32]", "bad [[key]]"},
		"with colons":                     {"user:42", "bad 75:73:65:72:3A:34:32", "bad [key]"},
		"as Go bytes":                     {"user:42", "bad []byte{0x75, 0x73, 0x65, 0x72, 0x3a, 0x34, 0x32}", "bad []byte{[key]}"},
		"inside of a longer one":          {"user:42", "bad a00757365723a3432ff and b0757365723a3432", "bad [key] and [key]"},
		"bytes in decimal":                {"user:42", "bad [117 115 101 114 58 52 50]", "bad [[key]]"},
		"base64":                          {"user:42", "bad dXNlcjo0Mg==", "bad [key]"},
		"base64 without padding":          {"user:42", "bad dXNlcjo0Mg", "bad [key]"},
		"base64 for a URL":                {"\xfb\xff\xbfuser:42", "bad -_-_dXNlcjo0Mg and +/+/dXNlcjo0Mg==", "bad [key] and [key]"},
		"base64 in the middle of another": {"user:42", "bad " + base64.StdEncoding.EncodeToString([]byte("a-user:42-b")) + ".", "bad [key]."},
		"base64 in a query":               {"user:42", "bad ?k=dXNlcjo0Mg%3D%3D&x", "bad ?k=[key]&x"},
		"another number":                  {"user:42", "request 0123456789abcdef failed", "request 0123456789abcdef failed"},

		"cut at the end":       {"user:42:profile", `bad key "user:42:pr..."`, `bad key "[key]..."`},
		"cut, and quoted":      {"user:42:profile", `bad key "user:42:pr"...`, `bad key "[key]"...`},
		"cut by one character": {"user:42:profile", "bad key user:42:pr…, sorry", "bad key [key]…, sorry"},
		"cut by the text":      {"user:42:profile", "bad key user:42:pr", "bad key [key]"},
		"cut at the beginning": {"user:42:profile", "bad key ...42:profile is long", "bad key ...[key] is long"},
		"begins with the rest": {"user:42:profile", "42:profile is long", "[key] is long"},
		"cut in the middle":    {"user:42:profile", "bad user:4....rofile", "bad [key]....[key]"},
		"cut and escaped":      {"user\n42:profile", `bad "user\n42:pr..."`, `bad "[key]..."`},
		"cut and hexadecimal":  {"user:42:profile", "bad 757365723a34...", "bad [key]..."},
		"cut without a sign":   {"user:42:profile", "bad user:42:pr is long", withheld},
		"some of its middle":   {"user:42:profile:avatar", "no 42:profile in it", withheld},
		"an escape of nobody":  {"user:müller-4711", "bad user:m=C3=BCller-4711", withheld},
		"of few bytes, cut":    {"user:42:profile", "bad us...", "bad us..."},

		"a short one":                 {"k", "backend k refused key (k)", "backend [key] refused key ([key])"},
		"only a short one":            {"k", "k", "[key]"},
		"a short number":              {"42", "line 142, key 42", "line 142, key [key]"},
		"a digit":                     {"1", "10 bytes of l1, and 1 more, after 1.5s or 0.1 s", "10 bytes of l1, and [key] more, after 1.5s or 0.1 s"},
		"a short one, not ASCII":      {"ю", "юла ю", "юла [key]"},
		"a short one with a mark":     {"e", "e\u0301 e", "e\u0301 [key]"},
		"a short one in two cases":    {"a", "A backend has no a", "A backend has no [key]"},
		"three letters in two cases":  {"abc", "ABC and abcd", "[key] and abcd"},
		"a short one, escaped":        {"a\n", `bad "a\n"`, `bad "[key]"`},
		"a short one, hexadecimal":    {"abc", "bad 616263, not 61626364", "bad [key], not 61626364"},
		"a short one in base64":       {"abcd", "bad YWJjZA== or YWJjZA", "bad [key] or [key]"},
		"one that is the placeholder": {"key", "no key", "no [key]"},
		"one that looks like it":      {"[key]", "no [key]", "no [key]"},

		"two lines":                             {"user:42", "l1 failed\nl2 failed", "l1 failed; l2 failed"},
		"lines with nothing":                    {"user:42", "\n l1 failed:\r\n\r\n\tl2 failed\n", "l1 failed: l2 failed"},
		"all kinds of lines":                    {"user:42", "a\vb\fc\u0085d\u2028e\u2029f", "a; b; c; d; e; f"},
		"control characters":                    {"user:42", "a\x1b[31mb\x00\x7f\u202ec\td\u00a0e", `a\x1b[31mb\x00\x7f\u202ec d e`},
		"bytes that are not UTF-8":              {"user:42", "a\xff\xc3b", "a\ufffd\ufffdb"},
		"a key split by a line":                 {"user; 42:x", "bad user\n42:x", withheld},
		"that begins within a character":        {"\x97!0D!S", "bad \xe7\xb9\x97!0D!S", "bad \ufffd\ufffd[key]"},
		"hexadecimal, between digits of a byte": {"user:4711", "bad x57365723x", withheld},
		"base64, between its groups":            {"user:4711", "bad <XNlcjo0N>", withheld},
		"base64 of more, between its groups":    {"user:4711", "bad <XI6NDcxM>", withheld},
		"a list made by lines":                  {"user:4711", "bad [117,\n115,\n101,\n114]", withheld},
		"a key made by a line":                  {"a; b:c", "bad a\nb:c", withheld},
		"a plus sign in a path":                 {"user+1 42", "GET /user+1%2042", "GET /[key]"},
		"a letter in upper case":                {"A", "A backend has no a", "[key] backend has no a"},
		"a short one in a number":               {"abc", "bad 0616263", "bad 0616263"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, redact.String(tc.text, tc.key))
		})
	}
}

// Each way to quote a key is tried on many keys.
func TestString_FindsEveryForm(t *testing.T) {
	t.Parallel()
	forms := map[string]func(string) string{
		"raw":          func(k string) string { return k },
		"upper":        strings.ToUpper,
		"lower":        strings.ToLower,
		"valid":        func(k string) string { return strings.ToValidUTF8(k, "\ufffd") },
		"quote":        strconv.Quote,
		"ascii":        strconv.QuoteToASCII,
		"graphic":      strconv.QuoteToGraphic,
		"quoted twice": func(k string) string { return strconv.Quote(strconv.Quote(k)) },
		"%v of bytes":  func(k string) string { return fmt.Sprint([]byte(k)) }, //nolint:staticcheck // the bytes are what is printed
		"%#v of bytes": func(k string) string { return fmt.Sprintf("%#v", []byte(k)) },
		"%x":           func(k string) string { return fmt.Sprintf("%x", k) },
		"%X":           func(k string) string { return fmt.Sprintf("%X", k) },
		"% x":          func(k string) string { return fmt.Sprintf("% x", k) },
		"%# x":         func(k string) string { return fmt.Sprintf("%# x", k) },
		"hex dump":     func(k string) string { return hex.Dump([]byte(k)) },
		"path":         url.PathEscape,
		"query":        url.QueryEscape,
		"path in JSON": func(k string) string { return jsonOf(url.PathEscape(k)) },
		"JSON":         jsonOf,
		"JSON of JSON": func(k string) string { return jsonOf(jsonOf(k)) },
		"HTML":         html.EscapeString,
		"XML": func(k string) string {
			var b strings.Builder
			_ = xml.EscapeText(&b, []byte(k))
			return b.String()
		},
		"base64":         func(k string) string { return base64.StdEncoding.EncodeToString([]byte(k)) },
		"base64, raw":    func(k string) string { return base64.RawStdEncoding.EncodeToString([]byte(k)) },
		"base64 url":     func(k string) string { return base64.URLEncoding.EncodeToString([]byte(k)) },
		"base64 raw url": func(k string) string { return base64.RawURLEncoding.EncodeToString([]byte(k)) },
		"base64, 1 off":  func(k string) string { return base64.StdEncoding.EncodeToString([]byte("x" + k + "y")) },
		"base64, 2 off":  func(k string) string { return base64.StdEncoding.EncodeToString([]byte("xy" + k + "z")) },
		"cut":            func(k string) string { return k[:len(k)-1] + "..." },
		"cut and quoted": func(k string) string { return strconv.Quote(k[:len(k)-1] + "...") },
	}
	for _, key := range []string{
		"user:4711", "user:müller:4711", "a b&c=d+e/f?g%20h", `say "hi" \ 'there' <b>`, "id:\x00\x01\x02\xff\xfe:4711",
		"пользователь:4711", "カート:4711:中身", "0123456789abcdef", "cart:😀😀:4711", "ABCdef-_GHI+/jkl==", strings.Repeat("key:", 20) + "x",
		"line\r\nfeed\t4711",
	} {
		for name, form := range forms {
			t.Run(fmt.Sprintf("%.20q/%s", key, name), func(t *testing.T) {
				t.Parallel()
				quoted := form(key)
				got := redact.String("cannot store <"+quoted+"> in the cache", key)
				assertClean(t, got, key)
				for _, part := range parts(quoted) {
					assert.NotContains(t, got, part)
				}
			})
		}
	}
}

// parts are the long words of a text that quotes a key.
func parts(quoted string) []string {
	var long []string
	for word := range strings.FieldsSeq(quoted) {
		if len(word) >= 12 {
			long = append(long, word)
		}
	}
	return long
}

func jsonOf(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

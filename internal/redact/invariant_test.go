package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tiercache/tiercache/internal/redact"
)

// assertClean checks the rules for every redacted text: one line of valid UTF-8, of
// bounded length, in which no eight bytes of the key are left.
func assertClean(t *testing.T, text, key string) {
	t.Helper()
	switch {
	case !utf8.ValidString(text):
		t.Errorf("not UTF-8: %q", text)
	case len(text) > redact.MaxLen:
		t.Errorf("%d bytes", len(text))
	case strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }):
		t.Errorf("not one line: %q", text)
	}
	if text == withheld || len(key) < 6 {
		return
	}
	if strings.Contains(text, key) {
		t.Errorf("the key %q is in %q", key, text)
	}
	for _, form := range []string{key, hex.EncodeToString([]byte(key)), base64.RawURLEncoding.EncodeToString([]byte(key))} {
		for i := 0; i+8 <= len(form); i++ {
			if strings.Contains(text, form[i:i+8]) {
				t.Errorf("%q of the key %q is in %q", form[i:i+8], key, text)
				return
			}
		}
	}
}

func FuzzString(f *testing.F) {
	f.Add("no such key: user:4711", "user:4711")
	f.Add(`bad "user\n4711..."`, "user\n4711:profile")
	f.Add("bad 757365723a34373131, dXNlcjo0NzEx", "user:4711")
	f.Add("a+b%26c &amp; \\u0041 %%", "a b&c")
	f.Add("l1\nl2\x1b\xff", "k")
	f.Add("[117 115 101 114]", "user")
	f.Add("\\", "\\")
	f.Add("İİİİİİKKKKKK", "iiiiiikkkkkk")
	f.Fuzz(func(t *testing.T, text, key string) {
		assertClean(t, redact.String(text, key), key)
		assertClean(t, redact.String(text+key, key), key)
		assertClean(t, redact.String(text+strconv.Quote(key)+text, key), key)
		assertClean(t, redact.String(text+" "+url.QueryEscape(key)+" "+text, key), key)
		assertClean(t, redact.String(fmt.Sprintf("%s%x%s", text, key, text), key), key)
		if len(key) > 16 {
			assertClean(t, redact.String(text+key[:len(key)/2]+text+key[len(key)/2:], key), key)
		}
	})
}

// Texts are put together from pieces of the key, whole and encoded, and from
// surroundings.
func TestString_LeavesNoRunOfTheKey(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	alphabets := []string{"ab", "abcdef0123456789", "user:profile/4711-", "äöü €😀", "\x00\x80\xff\n\\%&+\"", "aA-_+/="}
	for range 3000 {
		key := letters(random, alphabets[random.IntN(len(alphabets))], 6+random.IntN(60))
		text := ""
		for range 1 + random.IntN(6) {
			i := random.IntN(len(key))
			piece := key[i : i+random.IntN(len(key)-i)+1]
			if random.IntN(3) == 0 {
				piece = key
			}
			text += letters(random, alphabets[random.IntN(len(alphabets))], random.IntN(8)) + quoted(random, piece)
		}
		assertClean(t, redact.String(text, key), key)
	}
}

func letters(random *rand.Rand, alphabet string, n int) string {
	all, s := []rune(alphabet), ""
	for range n {
		s += string(all[random.IntN(len(all))])
	}
	return s
}

func quoted(random *rand.Rand, s string) string {
	switch random.IntN(9) {
	case 0:
		return strconv.Quote(s)
	case 1:
		return strconv.QuoteToASCII(s)
	case 2:
		return url.QueryEscape(s)
	case 3:
		return fmt.Sprintf(" %x ", s)
	case 4:
		return fmt.Sprintf("% X", s)
	case 5:
		return base64.StdEncoding.EncodeToString([]byte(s))
	case 6:
		return strings.ToUpper(s)
	case 7:
		return s + "..."
	default:
		return s
	}
}

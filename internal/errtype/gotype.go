package errtype

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// carriers are the exported types of the standard library that say where an error came
// from rather than which error it is. Their own name is the last resort.
var carriers = map[string]bool{
	"exec.Error":          true,
	"fs.PathError":        true,
	"net.OpError":         true,
	"os.LinkError":        true,
	"os.SyscallError":     true,
	"url.Error":           true,
	"textproto.Error":     true,
	"net.DNSConfigError":  true,
	"json.MarshalerError": true,
}

// textOnly are the packages whose unexported error types carry text and no more.
var textOnly = map[string]bool{
	"errors":                true,
	"fmt":                   true,
	"github.com/pkg/errors": true,
	"golang.org/x/xerrors":  true,
}

// typeName returns the type of err, such as "*mypkg.Error", without the arguments of a
// generic type. An unexported type that wraps another error has no name: nobody can
// look for it, and it seldom says more than the wrapped error.
func typeName(err error) (string, rank) {
	t := reflect.TypeOf(err)
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	name, _, _ := strings.Cut(t.String(), "[")
	short := strings.TrimLeft(name, "*")
	switch {
	case base.Name() == "" || !Valid(name):
		return "", none
	case carriers[short] && !strings.Contains(base.PkgPath(), "."):
		return name, carrier
	case exported(base.Name()):
		return name, typed
	case textOnly[base.PkgPath()] || wraps(err):
		return "", none
	default:
		return name, typed
	}
}

func exported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r)
}

func wraps(err error) bool {
	switch err.(type) { //nolint:errorlint // the question is about this one
	case interface{ Unwrap() error }, interface{ Unwrap() []error }:
		return true
	default:
		return false
	}
}

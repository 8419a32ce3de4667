package errtype_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/errtype"
)

func TestOf_ErrorsThatMisbehave(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"a typed nil with a name":          {(*panics)(nil), "_OTHER"},
		"a typed nil with a name, wrapped": {fmt.Errorf("load: %w", (*panics)(nil)), "_OTHER"},
		"a typed nil that unwraps":         {(*MyError)(nil), "*errtype_test.MyError"},
		"a typed nil of DNS":               {(*net.DNSError)(nil), "dns_failure"},
		"a typed nil of a certificate":     {(*x509.CertificateInvalidError)(nil), "*x509.CertificateInvalidError"},
		"a typed nil of a number":          {(*syscall.Errno)(nil), "*syscall.Errno"},
		"all methods panic":                {panicsLater{}, "_OTHER"},
		"all methods panic, and another":   {errors.Join(panicsLater{}, io.EOF), "eof"},
		"Unwrap of many panics":            {panicsInMany{}, "_OTHER"},
		"it wraps itself":                  {&loop{}, "_OTHER"},
		"it wraps itself, and another":     {errors.Join(io.EOF, &loop{}), "eof"},
		"it wraps itself three times":      {&loops{}, "_OTHER"},
		"it cannot be compared":            {uncomparable{"a"}, "errtype_test.uncomparable"},
		"it is deep":                       {deep(io.EOF, 200), "eof"},
		"it is too deep":                   {deep(io.EOF, 1_000_000), "_OTHER"},
		"it is too wide":                   {Many(append(slices.Repeat([]error{errPlain}, 100_000), io.EOF)), "errtype_test.Many"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			assert.NotPanics(t, func() { assert.Equal(t, tc.want, errtype.Of(tc.err)) })
			assert.Less(t, time.Since(start), time.Second)
		})
	}
}

// The names of a hostile error are as good as any.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "timeout", "user 42", "a\nb", "ä", strings.Repeat("x", 65), "_OTHER", "*pkg.T", "..", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, err := range []error{
			named(name), fmt.Errorf("set: %w", named(name)), errors.Join(errPlain, named(name)),
			&MyError{named(name)}, errtype.New(name, "text"),
		} {
			got := errtype.Of(err)
			if !errtype.Valid(got) || len(got) > errtype.MaxLen || strings.ContainsAny(got, " \n:[]") {
				t.Fatalf("%q has the name %q", name, got)
			}
			if got != name && !strings.HasPrefix(got, "*errtype_test.") && got != errtype.Other {
				t.Fatalf("%q became %q", name, got)
			}
		}
	})
}

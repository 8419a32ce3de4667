package errtype

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"runtime"
)

// sentinels are errors that are recognised by their identity, or by a method Is. The
// first that fits counts.
var sentinels = []struct {
	err    error
	symbol string
	name   string
}{
	{context.DeadlineExceeded, "context.DeadlineExceeded", timeout},
	{os.ErrDeadlineExceeded, "os.ErrDeadlineExceeded", timeout},
	{context.Canceled, "context.Canceled", canceled},
	{io.EOF, "io.EOF", "eof"},
	{io.ErrUnexpectedEOF, "io.ErrUnexpectedEOF", "unexpected_eof"},
	{io.ErrClosedPipe, "io.ErrClosedPipe", "closed"},
	{io.ErrShortWrite, "io.ErrShortWrite", "short_write"},
	{io.ErrShortBuffer, "io.ErrShortBuffer", "short_buffer"},
	{io.ErrNoProgress, "io.ErrNoProgress", "no_progress"},
	{net.ErrClosed, "net.ErrClosed", "closed"},
	{os.ErrClosed, "os.ErrClosed", "closed"},
	{fs.ErrNotExist, "fs.ErrNotExist", "not_exist"},
	{fs.ErrExist, "fs.ErrExist", "already_exists"},
	{fs.ErrPermission, "fs.ErrPermission", "permission_denied"},
	{fs.ErrInvalid, "fs.ErrInvalid", "invalid_argument"},
	{errors.ErrUnsupported, "errors.ErrUnsupported", "not_supported"},
}

// known returns the name that the tables have for err itself, not for an error that it
// wraps, or "".
func known(err error) string {
	if name, ok := errnoName(err); ok {
		return name
	}
	for _, s := range sentinels {
		if is(err, s.err) {
			return s.name
		}
	}
	return ofType(err)
}

// described lists, for the documentation, the names that code gives and no table: in
// ofType, in fallback, and in the files for one system.
var described = []struct{ symbol, name string }{
	{"EHOSTDOWN", "host_down"},
	{"ESHUTDOWN", "shut_down"},
	{"runtime.Error", "panic"},
	{"*net.DNSError", "host_not_found"},
	{"*net.DNSError", "dns_failure"},
	{"x509.UnknownAuthorityError", "certificate_unknown_authority"},
	{"x509.HostnameError", "certificate_wrong_host"},
	{"x509.CertificateInvalidError", "certificate_expired"},
	{"x509.CertificateInvalidError", "certificate_invalid"},
	{"*tls.CertificateVerificationError", "certificate_invalid"},
	{"tls.AlertError", "tls_alert"},
	{"tls.RecordHeaderError", "tls_not_spoken"},
	{"Timeout() bool", timeout},
}

//nolint:errorlint // the walker unwraps
func ofType(err error) string {
	switch e := err.(type) {
	case runtime.Error:
		return "panic"
	case *net.DNSError:
		if e != nil && e.IsNotFound {
			return "host_not_found"
		}
	case x509.UnknownAuthorityError, *x509.UnknownAuthorityError:
		return "certificate_unknown_authority"
	case x509.HostnameError, *x509.HostnameError:
		return "certificate_wrong_host"
	case x509.CertificateInvalidError:
		return invalidCertificate(e.Reason)
	case *x509.CertificateInvalidError:
		if e != nil {
			return invalidCertificate(e.Reason)
		}
	case tls.AlertError:
		return "tls_alert"
	case tls.RecordHeaderError, *tls.RecordHeaderError:
		return "tls_not_spoken"
	}
	return ""
}

func invalidCertificate(reason x509.InvalidReason) string {
	if reason == x509.Expired {
		return "certificate_expired"
	}
	return "certificate_invalid"
}

// fallback returns the name of an error none of whose inner errors has one, or "".
func fallback(err error) string {
	if timedOut(err) {
		return timeout
	}
	switch err.(type) { //nolint:errorlint // the walker unwraps
	case *net.DNSError:
		return "dns_failure"
	case *tls.CertificateVerificationError:
		return "certificate_invalid"
	}
	// The peer's alerts have a type that package tls does not export.
	if t := reflect.TypeOf(err); t.PkgPath() == "crypto/tls" && t.Name() == "alert" {
		return "tls_alert"
	}
	return ""
}

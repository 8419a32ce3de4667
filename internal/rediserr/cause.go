package rediserr

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/tiercache/tiercache/internal/redislog"
)

// Cause describes an error of a client by a fixed phrase and a value of
// error.type. The client's own text is not shown: it quotes bytes that the server
// sent, which may be a key or a value, and the ports of connections, which differ
// each time.
type Cause struct{ Text, Type string }

// Values of error.type that several causes share.
const (
	Lost     = "connection_lost"
	Timeout  = "timeout"
	Canceled = "canceled"
	Other    = "_OTHER"
)

// Find describes an error, if it is one that the function knows.
type Find func(err error) (Cause, bool)

// CauseOf returns the first cause that fits: one of the client's, one of the log, the
// network or TLS, or one of the client's about replies. err is no reply of the server.
func CauseOf(err error, inClient, inReply Find) Cause {
	for _, find := range []Find{inClient, inLog, inNetwork, inOddReply, inReply} {
		if c, ok := find(err); ok {
			return c
		}
	}
	name := typeName(err)
	c := Cause{"an error of the client (" + name + ")", name}
	if anonymous[name] {
		c.Type = Other
	}
	return c
}

func inLog(err error) (Cause, bool) {
	for _, c := range []struct {
		err error
		Cause
	}{
		{redislog.ErrNoIdentity, Cause{"INFO does not say which server this is, so a log in it cannot be trusted", "unsupported"}},
		{redislog.ErrLastEra, Cause{"the log has no eras left: delete it", "unsupported"}},
		{redislog.ErrReaderEnded, Cause{"a sink ended the reader's goroutine", Other}},
		{redislog.ErrNotMaster, Cause{"the server is a replica", "READONLY"}},
		{redislog.ErrUnsteady, Cause{"the log was begun anew again and again", "log_replaced"}},
	} {
		if errors.Is(err, c.err) {
			return c.Cause, true
		}
	}
	return Cause{}, false
}

// inNetwork names the operation and the error number of the system.
func inNetwork(err error) (c Cause, ok bool) {
	if c, ok = networkFailure(err); !ok {
		return Cause{}, false
	}
	if opErr, found := errors.AsType[*net.OpError](err); found {
		switch opErr.Op {
		case "dial", "read", "write":
			c.Text = opErr.Op + ": " + c.Text
		}
	}
	return c, true
}

func networkFailure(err error) (Cause, bool) {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return Cause{"host not found", "host_not_found"}, true
	case IsTimeout(err):
		return Cause{Timeout, Timeout}, true
	case dns != nil:
		return Cause{"the name server failed", "dns_failure"}, true
	case errors.As(err, &errno):
		return causeOfErrno(errno), true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Cause{"the server closed the connection", Lost}, true
	case errors.Is(err, net.ErrClosed):
		return Cause{"the connection was closed", Lost}, true
	case errors.Is(err, context.Canceled):
		return Cause{"canceled", Canceled}, true
	default:
		return inTLS(err)
	}
}

func inTLS(err error) (Cause, bool) {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return Cause{"no trusted authority signed the server's certificate", "certificate_unknown_authority"}, true
	case errors.As(err, &host):
		return Cause{"the server's certificate is for another host", "certificate_wrong_host"}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Cause{"the server's certificate has expired or is not valid yet", "certificate_expired"}, true
	case errors.As(err, &invalid), errors.As(err, &verification):
		return Cause{"the server's certificate is not valid", "certificate_invalid"}, true
	case errors.As(err, &header):
		return Cause{"the server does not speak TLS", "tls_not_spoken"}, true
	default:
		return Cause{}, false
	}
}

// IsTimeout reports whether time ran out, whoever measured it.
func IsTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &netErr) && netErr.Timeout()
}

func causeOfErrno(errno syscall.Errno) Cause {
	switch errno {
	case syscall.ECONNREFUSED:
		return Cause{"connection refused", "connection_refused"}
	case syscall.ECONNRESET:
		return Cause{"connection reset", Lost}
	case syscall.EPIPE:
		return Cause{"broken pipe", Lost}
	case syscall.ECONNABORTED:
		return Cause{"connection aborted", Lost}
	case syscall.EHOSTUNREACH:
		return Cause{"host unreachable", "host_unreachable"}
	case syscall.ENETUNREACH:
		return Cause{"network unreachable", "network_unreachable"}
	case syscall.ENETDOWN:
		return Cause{"network down", "network_down"}
	case syscall.EADDRNOTAVAIL:
		return Cause{"no local address or port is free", "address_not_available"}
	case syscall.EMFILE, syscall.ENFILE:
		return Cause{"too many open files", "too_many_open_files"}
	case syscall.EACCES, syscall.EPERM:
		return Cause{"permission denied", "permission_denied"}
	case syscall.ENOENT:
		return Cause{"no such socket", "not_exist"}
	default:
		return Cause{fmt.Sprintf("error %d of the operating system", int(errno)), "os_error"}
	}
}

// BadReply is the cause of a reply that the client or the adapter cannot read.
func BadReply() Cause { return Cause{"the server's reply cannot be understood", "bad_reply"} }

func inOddReply(err error) (Cause, bool) {
	var number *strconv.NumError
	if errors.Is(err, redislog.ErrOddReply) || errors.As(err, &number) {
		return BadReply(), true
	}
	return Cause{}, false
}

// anonymous are types that only carry a text.
var anonymous = map[string]bool{
	"*errors.errorString": true, "*errors.joinError": true,
	"*fmt.wrapError": true, "*fmt.wrapErrors": true,
}

// typeName returns the type of the innermost error whose type does more than carry
// a text.
func typeName(err error) string {
	name := fmt.Sprintf("%T", err)
	for {
		if err = errors.Unwrap(err); err == nil {
			return name
		}
		if inner := fmt.Sprintf("%T", err); !anonymous[inner] || anonymous[name] {
			name = inner
		}
	}
}

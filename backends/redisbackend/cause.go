package redisbackend

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
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// cause describes an error of the client by a fixed phrase and a value of
// error.type. The client's own text is not shown: it quotes bytes that the server
// sent, which may be a key or a value, and the ports of connections, which differ
// each time.
type cause struct{ text, errorType string }

// Values of error.type that several causes share.
const (
	lost    = "connection_lost"
	timeout = "timeout"
	other   = "_OTHER"
)

// causeOf returns the first cause that fits. err is no reply of the server.
func causeOf(err error) cause {
	for _, find := range []func(err error) (cause, bool){causeInClient, causeInNetwork, causeInReply} {
		if c, ok := find(err); ok {
			return c
		}
	}
	name := typeName(err)
	c := cause{"an error of the client (" + name + ")", name}
	if anonymous[name] {
		c.errorType = other
	}
	return c
}

func causeInClient(err error) (cause, bool) {
	for _, c := range []struct {
		err error
		cause
	}{
		{redis.ErrPoolTimeout, cause{"no connection of the pool was free in time", "pool_timeout"}},
		{redis.ErrPoolExhausted, cause{"no connection of the pool was free", "pool_timeout"}},
		{redis.ErrClosed, cause{"the client is closed", "closed"}},
		{errNoIdentity, cause{"INFO does not say which server this is, so a log in it cannot be trusted", "unsupported"}},
		{errLastEra, cause{"the log has no eras left: delete it", "unsupported"}},
		{errReaderEnded, cause{"a sink ended the reader's goroutine", other}},
		{errNotMaster, cause{"the server is a replica", "READONLY"}},
		{errUnsteady, cause{"the log was begun anew again and again", "log_replaced"}},
	} {
		if errors.Is(err, c.err) {
			return c.cause, true
		}
	}
	return cause{}, false
}

// causeInNetwork names the operation and the error number of the system.
func causeInNetwork(err error) (c cause, ok bool) {
	if c, ok = networkFailure(err); !ok {
		return cause{}, false
	}
	if opErr, found := errors.AsType[*net.OpError](err); found {
		switch opErr.Op {
		case "dial", "read", "write":
			c.text = opErr.Op + ": " + c.text
		}
	}
	return c, true
}

func networkFailure(err error) (cause, bool) {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return cause{"host not found", "host_not_found"}, true
	case isTimeout(err):
		return cause{timeout, timeout}, true
	case dns != nil:
		return cause{"the name server failed", "dns_failure"}, true
	case errors.As(err, &errno):
		return causeOfErrno(errno), true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return cause{"the server closed the connection", lost}, true
	case errors.Is(err, net.ErrClosed):
		return cause{"the connection was closed", lost}, true
	case errors.Is(err, context.Canceled):
		return cause{"canceled", "canceled"}, true
	default:
		return causeInTLS(err)
	}
}

func causeInTLS(err error) (cause, bool) {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return cause{"no trusted authority signed the server's certificate", "certificate_unknown_authority"}, true
	case errors.As(err, &host):
		return cause{"the server's certificate is for another host", "certificate_wrong_host"}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return cause{"the server's certificate has expired or is not valid yet", "certificate_expired"}, true
	case errors.As(err, &invalid), errors.As(err, &verification):
		return cause{"the server's certificate is not valid", "certificate_invalid"}, true
	case errors.As(err, &header):
		return cause{"the server does not speak TLS", "tls_not_spoken"}, true
	default:
		return cause{}, false
	}
}

// isTimeout reports whether time ran out, whoever measured it.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &netErr) && netErr.Timeout()
}

func causeOfErrno(errno syscall.Errno) cause {
	switch errno {
	case syscall.ECONNREFUSED:
		return cause{"connection refused", "connection_refused"}
	case syscall.ECONNRESET:
		return cause{"connection reset", lost}
	case syscall.EPIPE:
		return cause{"broken pipe", lost}
	case syscall.ECONNABORTED:
		return cause{"connection aborted", lost}
	case syscall.EHOSTUNREACH:
		return cause{"host unreachable", "host_unreachable"}
	case syscall.ENETUNREACH:
		return cause{"network unreachable", "network_unreachable"}
	case syscall.ENETDOWN:
		return cause{"network down", "network_down"}
	case syscall.EADDRNOTAVAIL:
		return cause{"no local address or port is free", "address_not_available"}
	case syscall.EMFILE, syscall.ENFILE:
		return cause{"too many open files", "too_many_open_files"}
	case syscall.EACCES, syscall.EPERM:
		return cause{"permission denied", "permission_denied"}
	case syscall.ENOENT:
		return cause{"no such socket", "not_exist"}
	default:
		return cause{fmt.Sprintf("error %d of the operating system", int(errno)), "os_error"}
	}
}

// badReplies are how go-redis begins the text of an error about a reply that it
// cannot read, or that is no string. The text goes on to quote the reply.
var badReplies = []string{
	"redis: can't parse", "redis: can't read", "redis: invalid", "redis: unexpected type", "redis: got ",
}

func causeInReply(err error) (cause, bool) {
	c := cause{"the server's reply cannot be understood", "bad_reply"}
	var number *strconv.NumError
	if errors.Is(err, errOddReply) || errors.As(err, &number) {
		return c, true
	}
	text := err.Error()
	for _, prefix := range badReplies {
		if strings.HasPrefix(text, prefix) {
			return c, true
		}
	}
	return cause{}, false
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

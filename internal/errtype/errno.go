//go:build !plan9

package errtype

import "syscall"

// An errnoEntry names an error number of the operating system.
type errnoEntry struct {
	errno  syscall.Errno
	symbol string
	name   string
}

// errnos are the error numbers that all systems but Plan 9 have.
var errnos = []errnoEntry{
	{syscall.E2BIG, "E2BIG", "too_long_arguments"},
	{syscall.EACCES, "EACCES", "permission_denied"},
	{syscall.EADDRINUSE, "EADDRINUSE", "address_in_use"},
	{syscall.EADDRNOTAVAIL, "EADDRNOTAVAIL", "address_not_available"},
	{syscall.EAFNOSUPPORT, "EAFNOSUPPORT", "address_family_not_supported"},
	{syscall.EAGAIN, "EAGAIN", "try_again"},
	{syscall.EBADF, "EBADF", "bad_file_descriptor"},
	{syscall.EBUSY, "EBUSY", "busy"},
	{syscall.ECANCELED, "ECANCELED", canceled},
	{syscall.ECONNABORTED, "ECONNABORTED", "connection_aborted"},
	{syscall.ECONNREFUSED, "ECONNREFUSED", "connection_refused"},
	{syscall.ECONNRESET, "ECONNRESET", "connection_reset"},
	{syscall.EDEADLK, "EDEADLK", "deadlock"},
	{syscall.EDQUOT, "EDQUOT", "quota_exceeded"},
	{syscall.EEXIST, "EEXIST", "already_exists"},
	{syscall.EFBIG, "EFBIG", "file_too_large"},
	{syscall.EHOSTUNREACH, "EHOSTUNREACH", "host_unreachable"},
	{syscall.EINTR, "EINTR", "interrupted"},
	{syscall.EINVAL, "EINVAL", "invalid_argument"},
	{syscall.EIO, "EIO", "io"},
	{syscall.EISCONN, "EISCONN", "already_connected"},
	{syscall.EISDIR, "EISDIR", "is_a_directory"},
	{syscall.ELOOP, "ELOOP", "too_many_symlinks"},
	{syscall.EMFILE, "EMFILE", "too_many_open_files"},
	{syscall.EMSGSIZE, "EMSGSIZE", "message_too_large"},
	{syscall.ENAMETOOLONG, "ENAMETOOLONG", "name_too_long"},
	{syscall.ENETDOWN, "ENETDOWN", "network_down"},
	{syscall.ENETRESET, "ENETRESET", "network_reset"},
	{syscall.ENETUNREACH, "ENETUNREACH", "network_unreachable"},
	{syscall.ENFILE, "ENFILE", "too_many_open_files"},
	{syscall.ENOBUFS, "ENOBUFS", "no_buffer_space"},
	{syscall.ENODEV, "ENODEV", "no_device"},
	{syscall.ENOENT, "ENOENT", "not_exist"},
	{syscall.ENOLCK, "ENOLCK", "no_locks"},
	{syscall.ENOMEM, "ENOMEM", "out_of_memory"},
	{syscall.ENOSPC, "ENOSPC", "no_space"},
	{syscall.ENOSYS, "ENOSYS", "not_supported"},
	{syscall.ENOTCONN, "ENOTCONN", "not_connected"},
	{syscall.ENOTDIR, "ENOTDIR", "not_a_directory"},
	{syscall.ENOTEMPTY, "ENOTEMPTY", "not_empty"},
	{syscall.ENOTSUP, "ENOTSUP", "not_supported"},
	{syscall.EOPNOTSUPP, "EOPNOTSUPP", "not_supported"},
	{syscall.ENXIO, "ENXIO", "no_device"},
	{syscall.EPERM, "EPERM", "permission_denied"},
	{syscall.EPIPE, "EPIPE", "broken_pipe"},
	{syscall.EPROTO, "EPROTO", "protocol_error"},
	{syscall.EPROTONOSUPPORT, "EPROTONOSUPPORT", "protocol_error"},
	{syscall.EROFS, "EROFS", "read_only"},
	{syscall.ESPIPE, "ESPIPE", "not_supported"},
	{syscall.ESTALE, "ESTALE", "stale_file_handle"},
	{syscall.ETIMEDOUT, "ETIMEDOUT", timeout},
	{syscall.EXDEV, "EXDEV", "cross_device"},
}

// errnoName returns the name of an error number, and false if err is none.
// Numbers that are in no table share one name: there are thousands on Windows.
func errnoName(err error) (string, bool) {
	var errno syscall.Errno
	switch e := err.(type) { //nolint:errorlint // the walker unwraps
	case syscall.Errno:
		errno = e
	case *syscall.Errno:
		if e == nil {
			return "", false
		}
		errno = *e
	default:
		return "", false
	}
	for _, table := range [][]errnoEntry{errnos, systemErrnos} {
		for _, entry := range table {
			if entry.errno == errno {
				return entry.name, true
			}
		}
	}
	return "os_error", true
}

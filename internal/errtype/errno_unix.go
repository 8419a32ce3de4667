//go:build unix

package errtype

import "syscall"

// systemErrnos are error numbers that the Unix systems have, and not all others.
var systemErrnos = []errnoEntry{
	{syscall.EHOSTDOWN, "EHOSTDOWN", "host_down"},
	{syscall.ESHUTDOWN, "ESHUTDOWN", "shut_down"},
}

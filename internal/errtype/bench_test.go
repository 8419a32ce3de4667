package errtype_test

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/tiercache/tiercache/internal/errtype"
)

func BenchmarkOf(b *testing.B) {
	for name, err := range map[string]error{
		"named":  fmt.Errorf("set: %w", named("lost")),
		"number": &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"type":   fmt.Errorf("set: %w", &MyError{}),
		"text":   fmt.Errorf("set: %w", errPlain),
	} {
		b.Run("error="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = errtype.Of(err)
			}
		})
	}
}

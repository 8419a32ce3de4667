// Command matrix prints the divergence matrix as Markdown.
//
//	matrix [-into FILE]
//
// With -into, it also puts it between the marks of that file.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tiercache/tiercache/internal/bench/about"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/insert"
	"github.com/tiercache/tiercache/internal/bench/matrix"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	flags.SetOutput(stderr)
	into := flags.String("into", "", "`file` that has the marks \"matrix\"")
	if err := flags.Parse(args); err != nil {
		return err
	}
	drivers := driver.ForMatrix()
	m, err := matrix.Run(drivers)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := m.WriteMarkdown(&out); err != nil {
		return err
	}
	fmt.Fprintf(&out, "\nMeasured with %s\n", about.Versions(drivers, time.Now()))
	if *into != "" {
		if err := insert.Into(*into, "matrix", out.String()); err != nil {
			return err
		}
	}
	_, err = io.WriteString(stdout, out.String())
	return err
}

// Command matrix prints the divergence matrix as Markdown: a table of the tiers of one
// process, and one of two processes over a real Redis, which it starts.
//
//	matrix [-into FILE] [-processes=false] [-window 20s]
//
// With -into, it also puts them between the marks of that file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/internal/bench/about"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/insert"
	"github.com/tiercache/tiercache/internal/bench/matrix"
	"github.com/tiercache/tiercache/internal/bench/processes"
	"github.com/tiercache/tiercache/internal/e2e/server"
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
	into := flags.String("into", "", "`file` that has the marks \"matrix\" and \"processes\"")
	both := flags.Bool("processes", true, "also run the scenarios of two processes, which need a redis-server")
	window := flags.Duration("window", 20*time.Second, "how long a reader of another process is watched at most")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tables := []table{{"matrix", writeTiers}}
	if *both {
		redis.SetLogger(silent{}) // its connections fail on purpose
		tables = append(tables, table{"processes", func(out io.Writer) error { return writeProcesses(out, *window) }})
	}
	for _, t := range tables {
		var out strings.Builder
		if err := t.write(&out); err != nil {
			return err
		}
		if *into != "" {
			if err := insert.Into(*into, t.marks, out.String()); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(stdout, out.String()+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// table is a part of the document.
type table struct {
	marks string
	write func(out io.Writer) error
}

func writeTiers(out io.Writer) error {
	drivers := driver.ForMatrix()
	m, err := matrix.Run(drivers)
	if err != nil {
		return err
	}
	if err := m.WriteMarkdown(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nMeasured with %s\n", about.Versions(drivers, time.Now()))
	return err
}

func writeProcesses(out io.Writer, window time.Duration) error {
	libraries := processes.Libraries()
	t, err := processes.Run(context.Background(), libraries, window)
	if errors.Is(err, server.ErrMissing) {
		return fmt.Errorf("%w: install redis-server (make e2e-setup), or leave the second table out with -processes=false", err)
	}
	if err != nil {
		return err
	}
	if err := t.WriteMarkdown(out); err != nil {
		return err
	}
	var modules []string
	for _, l := range libraries {
		modules = append(modules, l.Module)
	}
	_, err = fmt.Fprintf(out, "Measured with %s\n", about.VersionsOf(modules, time.Now()))
	return err
}

// silent is a logger of go-redis.
type silent struct{}

// Printf prints nothing.
func (silent) Printf(context.Context, string, ...any) {}

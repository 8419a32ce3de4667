package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

const usage = `Quickstart shows what tiercache does when its tiers fail. It needs no server.

usage: quickstart [-all | -scene N | -list] [-exporter tree|stdout|otlp] [-color auto|always|never]

  -all              run every scenario; without it, and with the exporter tree, one that makes
                    the point
  -scene N          run scenario N, after the earlier ones of its key, which are not shown
  -list             print the numbers and titles of the scenarios
  -exporter tree    print the trace of every request as a tree (default)
  -exporter stdout  print the raw spans, one JSON object a line; the rest goes to standard error
  -exporter otlp    send spans, metrics and logs to a collector or Jaeger: to http://localhost:4318,
                    or where the variables OTEL_EXPORTER_OTLP_* say
  -color auto       colour on a terminal, unless NO_COLOR is set (default); or always, or never

exit status: 0, 1 for a failure, 2 for wrong flags, 130 when interrupted
`

const (
	exporterTree   = "tree"
	exporterStdout = "stdout"
	exporterOTLP   = "otlp"
)

type options struct {
	exporter string
	colour   colourMode
	all      bool // every scenario
	scene    int  // the only one to show, from 1; 0: none was chosen
	list     bool // only the titles
}

// pointMade is the scenario that is shown when none was chosen.
const pointMade = 2

// shown returns the scenario that is shown alone, or 0 for all of them. Exporters get them
// all, because whoever looks into Jaeger wants to search.
func (o options) shown() int {
	switch {
	case o.all:
		return 0
	case o.scene != 0:
		return o.scene
	case o.exporter != exporterTree:
		return 0
	default:
		return pointMade
	}
}

// parseOptions returns flag.ErrHelp for -h.
func parseOptions(args []string) (options, error) {
	opts := options{exporter: exporterTree, colour: colourAuto}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error and the usage
	flags.Func("exporter", "", oneOf(&opts.exporter, exporterTree, exporterStdout, exporterOTLP))
	flags.Func("color", "", oneOf(&opts.colour, colourAuto, colourAlways, colourNever))
	flags.BoolVar(&opts.all, "all", false, "")
	flags.BoolVar(&opts.list, "list", false, "")
	flags.Func("scene", "", func(value string) (err error) {
		opts.scene, err = parseScene(value)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	if opts.all && opts.scene != 0 || opts.list && (opts.all || opts.scene != 0) {
		return opts, errors.New("choose one of -all, -scene and -list")
	}
	return opts, nil
}

// parseScene parses the number of a scenario.
func parseScene(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if last := len(scenarios()); err != nil || n < 1 || n > last {
		return 0, fmt.Errorf("choose a number from 1 to %d; -list prints the titles", last)
	}
	return n, nil
}

// oneOf parses a flag that has a few valid values.
func oneOf[T ~string](target *T, choices ...T) func(string) error {
	return func(value string) error {
		if !slices.Contains(choices, T(value)) {
			names := make([]string, len(choices))
			for i, c := range choices {
				names[i] = string(c)
			}
			return fmt.Errorf("choose one of %s", strings.Join(names, ", "))
		}
		*target = T(value)
		return nil
	}
}

package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

const usage = `Quickstart shows what tiercache does when its tiers fail. It needs no server.

usage: quickstart [-exporter tree|stdout|otlp] [-color auto|always|never]

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
}

// parseOptions returns flag.ErrHelp for -h.
func parseOptions(args []string) (options, error) {
	opts := options{exporter: exporterTree, colour: colourAuto}
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run prints the error and the usage
	flags.Func("exporter", "", oneOf(&opts.exporter, exporterTree, exporterStdout, exporterOTLP))
	flags.Func("color", "", oneOf(&opts.colour, colourAuto, colourAlways, colourNever))
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	return opts, nil
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

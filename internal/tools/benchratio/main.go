package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Exit statuses, as in the package's documentation.
const (
	exitOK       = 0
	exitExceeded = 1
	exitUsage    = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("benchratio", flag.ContinueOnError)
	flags.SetOutput(stderr)
	budgetsFile := flags.String("budgets", "", "`file` of budgets, required")
	check := flags.Bool("check", false, "exit with status 1 when a budget is exceeded or cannot be checked")
	room := flags.Float64("room", 1, "`factor` by which the limits of time are widened, at least 1")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitUsage
	}

	rows, err := compare(*budgetsFile, *check, *room, flags.Args(), stdin)
	if err != nil {
		fmt.Fprintln(stderr, "benchratio:", err)
		return exitUsage
	}
	if err := writeTable(stdout, rows, *room); err != nil {
		fmt.Fprintln(stderr, "benchratio:", err)
		return exitUsage
	}

	status := exitOK
	for _, row := range rows {
		for _, problem := range row.problems {
			fmt.Fprintf(stderr, "benchratio: %s: %s\n", row.benchmark, problem)
			if *check {
				status = exitExceeded
			}
		}
	}
	return status
}

// compare reads the budgets and the results, and judges one by the other.
func compare(budgetsFile string, check bool, room float64, resultFiles []string, stdin io.Reader) ([]row, error) {
	if budgetsFile == "" {
		return nil, errors.New("the flag -budgets is required")
	}
	if !(room >= 1) { // Also when it is not a number.
		return nil, fmt.Errorf("-room is %v, but must be at least 1", room)
	}
	budgets, err := readBudgets(budgetsFile)
	if err != nil {
		return nil, err
	}
	if check && !anyLimit(budgets) {
		return nil, fmt.Errorf("%s has no limits to check", budgetsFile)
	}
	results, err := readResults(resultFiles, stdin)
	if err != nil {
		return nil, err
	}
	return judge(budgets, results, room), nil
}

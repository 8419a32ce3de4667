package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// budget is one line of the budgets file.
type budget struct {
	benchmark string // A name or a pattern, without "Benchmark".
	baseline  string // A name, without "Benchmark".
	time      limit
	allocs    limit
}

// limit is an upper bound. The zero limit bounds nothing.
type limit struct {
	set      bool
	relative bool // The value is a multiple of the baseline.
	value    float64
}

// String returns the limit as it is written in the budgets file.
func (l limit) String() string {
	switch {
	case !l.set:
		return none
	case l.relative:
		return strconv.FormatFloat(l.value, 'g', -1, 64) + "x"
	default:
		return strconv.FormatFloat(l.value, 'g', -1, 64)
	}
}

// isPattern says whether the line may stand for several benchmarks.
func (b budget) isPattern() bool { return strings.ContainsAny(b.benchmark, `*?[\`) }

// anyLimit says whether a check of the budgets can fail.
func anyLimit(budgets []budget) bool {
	for _, b := range budgets {
		if b.time.set || b.allocs.set {
			return true
		}
	}
	return false
}

// readBudgets reads a file of budgets, in the order of its lines.
func readBudgets(file string) ([]budget, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var budgets []budget
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		b, err := parseBudget(fields)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		budgets = append(budgets, b)
	}
	if len(budgets) == 0 {
		return nil, fmt.Errorf("%s names no benchmarks", file)
	}
	return budgets, nil
}

// parseBudget parses the fields of one line.
func parseBudget(fields []string) (budget, error) {
	if len(fields) < 2 {
		return budget{}, fmt.Errorf("%q has no baseline", fields[0])
	}
	b := budget{
		benchmark: strings.TrimPrefix(fields[0], "Benchmark"),
		baseline:  strings.TrimPrefix(fields[1], "Benchmark"),
	}
	if _, err := path.Match(b.benchmark, ""); err != nil {
		return budget{}, fmt.Errorf("%q is not a pattern: %w", fields[0], err)
	}
	for _, field := range fields[2:] {
		if err := b.parseLimit(field); err != nil {
			return budget{}, fmt.Errorf("limit %q: %w", field, err)
		}
	}
	return b, nil
}

// parseLimit adds a limit such as "time<=2.5x" to the budget.
func (b *budget) parseLimit(field string) error {
	quantity, bound, ok := strings.Cut(field, "<=")
	if !ok {
		return errors.New("is not of the form time<=2.5x or allocs<=0")
	}
	var target *limit
	switch quantity {
	case "time":
		target = &b.time
	case "allocs":
		target = &b.allocs
	default:
		return errors.New("the quantity is neither time nor allocs")
	}
	if target.set {
		return errors.New("the line has another limit of this quantity")
	}
	number, relative := strings.CutSuffix(bound, "x")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value >= 0) || math.IsInf(value, 0) {
		return errors.New("the bound is not a number of at least 0")
	}
	if quantity == "time" && !relative {
		return errors.New("time is bounded by a multiple of the baseline, such as 2.5x")
	}
	*target = limit{set: true, relative: relative, value: value}
	return nil
}

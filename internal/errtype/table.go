package errtype

import "slices"

// An Entry describes one name for the documentation.
type Entry struct {
	Name    string
	Meaning string
	From    []string // the errors that have the name, as Go code; may be empty
}

// Table returns every name of the tables, in the order of the documentation.
func Table() []Entry {
	var table []Entry
	for _, m := range meanings {
		table = append(table, Entry{Name: m.name, Meaning: m.meaning, From: from(m.name)})
	}
	return table
}

func from(name string) []string {
	var symbols []string
	add := func(symbol, of string) {
		if of == name && !slices.Contains(symbols, symbol) {
			symbols = append(symbols, symbol)
		}
	}
	for _, e := range errnos {
		add(e.symbol, e.name)
	}
	for _, s := range sentinels {
		add(s.symbol, s.name)
	}
	for _, d := range described {
		add(d.symbol, d.name)
	}
	for _, d := range declaredBy {
		add(d.symbol, d.name)
	}
	return symbols
}

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// block is a piece of code without a branch, and how often it ran.
type block struct {
	file      string // import path and name
	line, col int    // where it begins
	count     int
}

// parseProfile reads a profile of go test -covermode=count.
func parseProfile(r io.Reader) (blocks []block, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if strings.HasPrefix(text, "mode: ") {
			if text != "mode: count" {
				return nil, fmt.Errorf("line %d: %q: use -covermode=count", n, text)
			}
			continue
		}
		colon := strings.LastIndex(text, ":")
		if colon < 0 {
			return nil, fmt.Errorf("line %d: %q: no file", n, text)
		}
		b := block{file: text[:colon]}
		var endLine, endCol, statements int
		if _, err := fmt.Sscanf(text[colon+1:], "%d.%d,%d.%d %d %d",
			&b.line, &b.col, &endLine, &endCol, &statements, &b.count); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", n, text, err)
		}
		blocks = append(blocks, b)
	}
	return blocks, lines.Err()
}

// position is where a block begins.
type position struct {
	file      string
	line, col int
}

// more returns the beginnings of blocks that ran more often than in the base.
func more(blocks, base []block) []position {
	counts := make(map[position]int, len(base))
	for _, b := range base {
		counts[position{b.file, b.line, b.col}] += b.count
	}
	here := make(map[position]int, len(blocks))
	for _, b := range blocks {
		here[position{b.file, b.line, b.col}] += b.count
	}
	var result []position
	for p, count := range here {
		if count > counts[p] {
			result = append(result, p)
		}
	}
	return result
}

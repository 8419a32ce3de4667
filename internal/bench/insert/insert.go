// Package insert puts generated text into a document, between two marks, so that a
// document shows the output of a command.
package insert

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// ErrNoMarks says that a document has no place for the text.
var ErrNoMarks = errors.New("insert: the marks are not there, once each and in order")

// Into replaces the text between the lines "<!-- begin NAME -->" and "<!-- end NAME
// -->". The error wraps ErrNoMarks when the marks are missing.
func Into(file, name, text string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(file) //nolint:gosec // the file that the user names
	if err != nil {
		return err
	}
	updated, err := between(string(old), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(updated), info.Mode().Perm()) //nolint:gosec // as above
}

func between(document, name, text string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(document, begin)
	if !ok {
		return "", ErrNoMarks
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok || strings.Contains(after, begin) {
		return "", ErrNoMarks
	}
	return before + begin + "\n" + strings.TrimSpace(text) + "\n\n" + end + after, nil
}

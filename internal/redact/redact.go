// Package redact takes a key out of the texts of errors.
//
// A text may quote the key as it is, or escaped, encoded, re-cased, or cut. Such
// a quotation is replaced by "[key]":
//
//   - as it is, in upper or lower case, or with dots or question marks in place of
//     characters that are not printable ASCII;
//   - escaped as in Go, JSON, a URL, HTML or XML, also twice over;
//   - in hexadecimal, in base64, or as a list of decimal bytes; then the whole
//     encoded word goes, because it may hold more of the key;
//   - cut: the beginning of the key before an ellipsis or the end of the text, or
//     its end after an ellipsis.
//
// If eight bytes in a row of the key are left after that, or an encoded word has
// only a part of it, the text quotes the key in a way that was not recognised, and
// all of the text is withheld. A key of fewer than six bytes is looked for only
// as a whole word, because it would be found everywhere.
//
// Not found are fewer than eight bytes of a longer key without an ellipsis, and
// encodings that are not in this list, such as base32.
//
// The result is one line of valid UTF-8 of at most [MaxLen] bytes. No function of this
// package panics, and all are safe for concurrent use.
package redact

import (
	"fmt"
	"strings"

	"github.com/tiercache/tiercache/internal/errtype"
)

const (
	// MaxLen is the length in bytes of the longest text that comes out.
	MaxLen = 512

	// maxText is how many bytes of a text are looked at.
	maxText = 2048
	// maxType is how many bytes of a type's name are shown.
	maxType = 256
	// maxKey is the length of the longest key that texts are searched for.
	maxKey = 64 << 10
	// shortKey is the length of the shortest key that is found inside of words.
	shortKey = 6

	placeholder = "[key]"
	ellipsis    = "…"
	withheld    = "text withheld: it may quote the key"
)

// String returns text without the key.
func String(text, key string) string {
	if out, ok := redacted(text, key); ok {
		return out
	}
	return withheld
}

// Text returns the text of err without the key, or "" if err is nil. If the text
// cannot be had, because the method Error panics, or if it was withheld, the
// result names the error in the way of error.type.
func Text(err error, key string) string {
	if err == nil {
		return ""
	}
	text, ok := textOf(err)
	return describe(err, text, ok, key)
}

// Error returns err if its text needs no change, and otherwise an error with the
// text of [Text] that wraps err.
func Error(err error, key string) error {
	if err == nil {
		return nil
	}
	text, ok := textOf(err)
	out := describe(err, text, ok, key)
	if ok && out == text {
		return err
	}
	return &redactedError{text: out, err: err}
}

func describe(err error, text string, hasText bool, key string) string {
	if !hasText {
		return "error of type " + typeOf(err) + " whose text cannot be had"
	}
	if out, ok := redacted(text, key); ok {
		return out
	}
	return "error of type " + nameOf(err, key) + " (" + withheld + ")"
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }

// textOf calls the method Error, which panics for many a typed nil.
func textOf(err error) (text string, ok bool) {
	defer func() { _ = recover() }()
	return err.Error(), true
}

// nameOf returns the name of err for error.type. An error that names itself may
// do so by the key, so such a name is redacted too.
func nameOf(err error, key string) string {
	name := errtype.Of(err)
	if out, ok := redacted(name, key); name == errtype.Other || !ok || out != name {
		return typeOf(err)
	}
	return name
}

// typeOf returns the Go type of err without the arguments of a generic type.
func typeOf(err error) string {
	name, _, _ := strings.Cut(fmt.Sprintf("%T", err), "[")
	return cut(line(name), maxType)
}

// redacted returns text without the key, and false if the key may still be in it.
func redacted(text, key string) (string, bool) {
	if len(key) > maxKey {
		return "", false
	}
	text = cut(text, maxText)
	if key == "" {
		return line(text), true
	}
	p := newPattern(key)
	spans, ok := p.find(text)
	if !ok {
		return "", false
	}
	out := line(replace(text, spans))
	return out, !p.leaks(out, out == text)
}

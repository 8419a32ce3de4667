// Package errtype names errors for the attribute error.type.
//
// A name is an identifier: predictable, of low cardinality, and never part of an
// error's text. The tables in names.go are the list of them, and
// docs/error-types.md is generated from these:
//
//	go test ./internal/errtype -update
package errtype

// Other is the name of an error about which nothing better can be said.
const Other = "_OTHER"

// MaxLen is the length in bytes of the longest name.
const MaxLen = 64

// Of returns the name of err, by the first of these rules that gives one.
//
//  1. An error of the tree that names itself by a method ErrorType() string, or
//     that is in the tables. An outer error comes before those that it wraps. A
//     name that is not [Valid] is replaced by [Other].
//  2. "timeout" for an error whose method Timeout reports true.
//  3. The Go type of the outermost error that has a type of its own, for instance
//     "*mypkg.Error". Types that only carry text or wrap another error have none.
//  4. [Other].
//
// In a tree with branches, as [errors.Join] makes it, the first branch that has
// a name counts; but a cancellation gives way to a deadline in a later branch,
// because a deadline often is why something was canceled.
//
// Of never panics, whatever the methods of err do, and it looks at no more than
// 256 errors of the tree.
func Of(err error) string {
	w := walker{left: maxErrors}
	if name, rank := w.name(err); rank > none {
		return name
	}
	return Other
}

// Valid reports whether name is fit for error.type: 1 to [MaxLen] bytes, all of
// them ASCII letters, digits, or one of "_.*/-", and at least one of them a
// letter or a digit.
func Valid(name string) bool {
	if len(name) > MaxLen {
		return false
	}
	word := false
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			word = true
		case c != '_' && c != '.' && c != '*' && c != '/' && c != '-':
			return false
		}
	}
	return word
}

// New returns an error as [errors.New] does, which has a name. It is for
// sentinels, whose type would say nothing.
func New(name, text string) error { return &sentinel{name: name, text: text} }

type sentinel struct{ name, text string }

func (e *sentinel) Error() string     { return e.text }
func (e *sentinel) ErrorType() string { return e.name }

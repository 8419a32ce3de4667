package backendtest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tiercache/tiercache/backends"
)

// Limits of the printed form of a value.
const (
	maxShown = 300 // bytes
	maxDepth = 6
)

// show prints a value for the text of a failure, on one line: strings and slices
// of bytes as quoted text, also those within it, and the rest as %+v does.
func show(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v), 0)
	if text := b.String(); len(text) <= maxShown {
		return text
	}
	return b.String()[:maxShown] + "... (" + strconv.Itoa(b.Len()) + " bytes)"
}

func write(b *strings.Builder, v reflect.Value, depth int) {
	switch {
	case !v.IsValid():
		b.WriteString("nil")
		return
	case depth == maxDepth || b.Len() > 4*maxShown:
		b.WriteString("...")
		return
	case isText(v.Type()):
		if v.Kind() == reflect.Slice && v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteString(strconv.Quote(textOf(v)))
		return
	case v.CanInterface() && (v.Type().Implements(stringer) || v.Type().Implements(errorType)):
		// As fmt does, which also survives a nil pointer; on one line.
		b.WriteString(strings.ReplaceAll(fmt.Sprint(v.Interface()), "\n", `\n`))
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		write(b, v.Elem(), depth)
	case reflect.Pointer:
		if !v.IsNil() {
			b.WriteByte('&')
		}
		write(b, v.Elem(), depth+1)
	case reflect.Struct:
		writeList(b, "{", "}", v.NumField(), func(i int) {
			b.WriteString(v.Type().Field(i).Name + ":")
			write(b, v.Field(i), depth+1)
		})
	case reflect.Slice, reflect.Array:
		writeList(b, "[", "]", v.Len(), func(i int) { write(b, v.Index(i), depth+1) })
	case reflect.Map:
		writeMap(b, v, depth)
	default:
		fmt.Fprintf(b, "%+v", v)
	}
}

func writeList(b *strings.Builder, opening, closing string, n int, element func(i int)) {
	b.WriteString(opening)
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		element(i)
	}
	b.WriteString(closing)
}

// writeMap writes the entries in the order of their texts.
func writeMap(b *strings.Builder, v reflect.Value, depth int) {
	var entries []string
	for k, elem := range v.Seq2() {
		var entry strings.Builder
		write(&entry, k, depth+1)
		entry.WriteByte(':')
		write(&entry, elem, depth+1)
		entries = append(entries, entry.String())
	}
	slices.Sort(entries)
	writeList(b, "map[", "]", len(entries), func(i int) { b.WriteString(entries[i]) })
}

var (
	stringer  = reflect.TypeFor[fmt.Stringer]()
	errorType = reflect.TypeFor[error]()
)

// isText reports whether t is a string or bytes, by whatever name.
func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func textOf(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return v.String()
	}
	return string(v.Bytes())
}

// showWrite describes a write without its value.
func showWrite[V any](w backends.Write[V]) string {
	text := w.Kind.String()
	switch w.If.Test {
	case backends.TestAlways:
	case backends.TestAbsent:
		text += " if absent"
	case backends.TestIs:
		text += fmt.Sprintf(" if version %d", w.If.Version)
	case backends.TestNotNewer:
		text += fmt.Sprintf(" if not newer than %d", w.If.Version)
	case backends.TestAbsentAt:
		text += fmt.Sprintf(" if absent at version %d", w.If.Version)
	default:
		text += " if invalid"
	}
	if w.Source != 0 {
		text += fmt.Sprintf(" of source version %d", w.Source)
	}
	return text
}

// showResult describes the decision on a write.
func showResult(r backends.Result) string {
	refusals := map[backends.Refusal]string{
		backends.NotRefused:       "applied",
		backends.RefusedCondition: "refused by its condition",
		backends.RefusedSource:    "refused by its source version",
		backends.RefusedLate:      "refused as late",
	}
	text, ok := refusals[r.Refused]
	if !ok {
		text = fmt.Sprintf("refused for an unknown reason %d", r.Refused)
	}
	return fmt.Sprintf("%s (version %d, source %d)", text, r.Version, r.Source)
}

func showChanges(changes []backends.Change) string {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = fmt.Sprintf("%s at %d of operation %d with note %q", c.Kind, c.Version, c.Operation, c.Note)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

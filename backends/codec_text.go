package backends

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// reasonOf returns the public part of a codec's error: ": " and a text that is free of
// values, or else its type in parentheses.
func reasonOf(err error) string {
	if text := safeText(err); text != "" {
		return ": " + text
	}
	return fmt.Sprintf(" (%T)", err)
}

// safeText returns "" for an error whose text may quote the value. Errors of a
// user's codec are asked for what they wrap, and may panic.
func safeText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	for _, text := range []func(err error) string{ownText, jsonText, otherText} {
		if text := text(err); text != "" {
			return text
		}
	}
	return ""
}

func ownText(err error) string {
	if e, ok := errors.AsType[*undecodableError](err); ok {
		return strings.TrimPrefix(e.Error(), "backends: ")
	}
	if e, ok := errors.AsType[*codecError](err); ok {
		return e.reason
	}
	// Codecs of other modules return these.
	if e, ok := errors.AsType[*TooLargeError](err); ok {
		return strings.TrimPrefix(e.Error(), "backends: ")
	}
	if e, ok := errors.AsType[*DamagedError](err); ok {
		return strings.TrimPrefix(e.Error(), "backends: ")
	}
	return ""
}

func otherText(err error) string {
	for _, known := range []error{io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if e, ok := errors.AsType[base64.CorruptInputError](err); ok {
		return e.Error() // an offset
	}
	return ""
}

func jsonText(err error) string {
	// Of a method MarshalJSON that was called by another, the outer one is named.
	if e, ok := errors.AsType[*json.MarshalerError](err); ok {
		return "json: the marshaler of " + nameOf(e.Type) + " failed" + reasonOf(e.Err)
	}
	if e, ok := errors.AsType[*json.UnsupportedTypeError](err); ok {
		return "json: unsupported type " + nameOf(e.Type)
	}
	if e, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
		return unsupportedValue(e)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// Value is "number 123" at times; Field may contain the keys of maps.
		kind, _, _ := strings.Cut(e.Value, " ")
		switch kind {
		case "array", "bool", "null", "number", "object", "string":
		default:
			kind = "value"
		}
		return "json: the " + kind + " at byte " + strconv.FormatInt(e.Offset, 10) + " does not fit " + nameOf(e.Type)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		// Its text quotes a character.
		return "json: syntax error at byte " + strconv.FormatInt(e.Offset, 10)
	}
	return ""
}

// unsupportedValue names the type of a number that is not finite, or of a
// pointer, map or slice that contains itself.
func unsupportedValue(e *json.UnsupportedValueError) string {
	if !e.Value.IsValid() {
		return "json: unsupported value"
	}
	t := e.Value.Type()
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		return "json: a " + nameOf(t) + " is not a finite number"
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return "json: a " + nameOf(t) + " contains itself"
	default:
		return "json: unsupported value of type " + nameOf(t)
	}
}

// nameOf returns the name of a type that an error may not have.
func nameOf(t reflect.Type) string {
	if t == nil {
		return "an unknown type"
	}
	return t.String()
}

package backends

import (
	"fmt"
	"reflect"
	"strings"
)

// refuse returns an error for a type of which nothing but nil and the empty value
// can be stored.
func refuse(t reflect.Type) error {
	reason := refusal(t, make(map[reflect.Type]bool))
	if reason == "" {
		return nil
	}
	return &codecError{fmt.Sprintf("JSON cannot store values of type %v: %s", t, reason), ErrUnsupportedType}
}

func refusal(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Sprintf("%v has methods, so JSON cannot tell which type to decode: use a concrete type", t)
		}
		return ""
	case reflect.Pointer:
		return refusal(t.Elem(), seen)
	}
	if writesItself(t) {
		if readsItself(t) {
			return ""
		}
		return refusalOfKind(t)
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return refusal(t.Elem(), seen)
	case reflect.Map:
		if reason := refusalOfKey(t); reason != "" {
			return reason
		}
		return refusal(t.Elem(), seen)
	case reflect.Struct:
		return refusalOfFields(t, seen)
	default:
		return refusalOfKind(t)
	}
}

func writesItself(t reflect.Type) bool {
	p := place{t, true}
	return p.writes(marshaler) || p.writes(textMarshaler)
}

func readsItself(t reflect.Type) bool {
	p := place{t, true}
	return p.reads(unmarshaler) || p.reads(textUnmarshaler)
}

func refusalOfKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Sprintf("%v has no form in JSON: use another type, or a codec of your own", t)
	default:
		return ""
	}
}

// refusalOfKey returns why encoding/json refuses a map, even a nil one.
func refusalOfKey(t reflect.Type) string {
	key := t.Key()
	switch kind := key.Kind(); {
	case kind == reflect.String, reflect.Int <= kind && kind <= reflect.Uintptr:
		return ""
	case key.Implements(textMarshaler) && reflect.PointerTo(key).Implements(textUnmarshaler):
		return ""
	default:
		return fmt.Sprintf("keys of type %v have no form in JSON: give the type MarshalText and UnmarshalText", key)
	}
}

// refusalOfFields looks only at fields that are always written. A pointer, a
// slice or an interface may be nil, and is then no obstacle.
func refusalOfFields(t reflect.Type, seen map[reflect.Type]bool) string {
	for f := range t.Fields() {
		if !stored(f) || strings.Contains(f.Tag.Get("json"), ",omitzero") || writesItself(f.Type) {
			continue
		}
		var reason string
		switch f.Type.Kind() {
		case reflect.Map:
			reason = refusalOfKey(f.Type)
		case reflect.Struct:
			reason = refusal(f.Type, seen)
		default:
			reason = refusalOfKind(f.Type)
		}
		if reason != "" {
			return "field " + f.Name + ": " + reason
		}
	}
	return ""
}

package tiercachedebug

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// field is a field of a status by its name in JSON; its value is a number, a bool, a text,
// more fields, or a list of fields.
type field struct {
	name  string
	value any
}

// fields are in the order of their struct, so that a field that the library adds is
// shown without a change here.
type fields []field

// texts are the fields that are texts and never keys. Any other text may be or contain a
// key, so that it is shown only with keys.
var texts = map[string]bool{"cause": true}

// fieldsOf returns the exported fields of a struct.
func fieldsOf(v any, keys bool) fields { return fieldsOfValue(reflect.ValueOf(v), keys) }

func fieldsOfValue(v reflect.Value, keys bool) (all fields) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		if one, shown := fieldOf(snakeCase(f.Name), v.Field(i), keys); shown {
			all = append(all, one)
		}
	}
	return all
}

// fieldOf returns the field of one value. It is not shown if it is a time that is not set,
// or may be or contain a key.
func fieldOf(name string, v reflect.Value, keys bool) (f field, shown bool) {
	switch value := v.Interface().(type) {
	case time.Time:
		return field{name, value.UTC().Format(time.RFC3339Nano)}, !value.IsZero()
	case time.Duration:
		return field{name + "_seconds", value.Seconds()}, true
	}
	switch v.Kind() {
	case reflect.Struct:
		return field{name, fieldsOfValue(v, keys)}, true
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return field{name, v.Interface()}, true
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			return field{name, list(v, keys)}, true
		}
		return field{name, fmt.Sprint(v.Interface())}, keys
	default:
		return field{name, fmt.Sprint(v.Interface())}, keys || texts[name]
	}
}

// list returns the fields of each element.
func list(v reflect.Value, keys bool) []fields {
	all := make([]fields, 0, v.Len())
	for i := range v.Len() {
		all = append(all, fieldsOfValue(v.Index(i), keys))
	}
	return all
}

// MarshalJSON returns an object whose members are in the order of the fields.
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, one := range f {
		value, err := json.Marshal(one.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], one.name, value)
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// row is a field as a line of a table.
type row struct{ Name, Value string }

// rows returns the fields in lines, and those within a field below its name.
func (f fields) rows(prefix string) (rows []row) {
	for _, one := range f {
		name := prefix + strings.ReplaceAll(one.name, "_", " ")
		switch value := one.value.(type) {
		case fields:
			rows = append(rows, value.rows(name+": ")...)
		case []fields:
			for i, inner := range value {
				rows = append(rows, inner.rows(fmt.Sprintf("%s %d: ", name, i+1))...)
			}
		default:
			rows = append(rows, row{name, fmt.Sprint(value)})
		}
	}
	return rows
}

// snakeCase returns, for instance, "synced_age" for SyncedAge.
func snakeCase(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		if unicode.IsUpper(r) && lower {
			b.WriteByte('_')
		}
		lower = !unicode.IsUpper(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

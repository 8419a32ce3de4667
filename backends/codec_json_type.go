package backends

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"
)

// jsonTraits are the marks to look for in the JSON of a type.
type jsonTraits struct {
	scan   bool // map keys may collide, or numbers lose digits
	decode bool // an encoded value may not be decodable
}

var (
	marshaler       = reflect.TypeFor[json.Marshaler]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

// place is a type where it occurs. A value in a map has no address, so methods of
// its pointer are not found when it is encoded, but are when it is decoded.
type place struct {
	reflect.Type
	addressable bool
}

func (p place) writes(methods reflect.Type) bool {
	return p.Implements(methods) || p.addressable && reflect.PointerTo(p.Type).Implements(methods)
}

func (p place) reads(methods reflect.Type) bool {
	return reflect.PointerTo(p.Type).Implements(methods)
}

func traitsOf(t reflect.Type) (traits jsonTraits) {
	traits.add(place{t, true}, make(map[place]bool))
	return traits
}

func (j *jsonTraits) add(t place, seen map[place]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	kind := t.Kind()
	switch {
	case kind == reflect.Interface:
		j.scan = true
		j.decode = j.decode || t.NumMethod() > 0
		return
	case kind == reflect.Pointer:
		j.add(place{t.Elem(), true}, seen)
		return
	case t.writes(marshaler), t.reads(unmarshaler):
		j.scan = j.scan || t.Type != timeType // its method may write anything
		j.decode = j.decode || t.writes(marshaler) != t.reads(unmarshaler)
		return
	case t.writes(textMarshaler), t.reads(textUnmarshaler):
		j.decode = j.decode || t.writes(textMarshaler) != t.reads(textUnmarshaler)
		return
	}
	switch kind {
	case reflect.Slice:
		j.add(place{t.Elem(), true}, seen)
	case reflect.Array:
		j.add(place{t.Elem(), t.addressable}, seen)
	case reflect.Map:
		j.addKey(t.Key())
		j.add(place{t.Elem(), false}, seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if stored(f) {
				j.add(place{f.Type, t.addressable}, seen)
			}
			// Decode cannot make one of these.
			j.decode = j.decode || f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Pointer
		}
	}
}

// addKey adds the type of a map's keys. A key of the kind of a string is written
// as it is, also when it has a method MarshalText, but read by UnmarshalText.
func (j *jsonTraits) addKey(key reflect.Type) {
	out, in := key.Implements(textMarshaler), reflect.PointerTo(key).Implements(textUnmarshaler)
	if key.Kind() == reflect.String {
		out = false
	}
	j.scan = j.scan || out
	j.decode = j.decode || out != in
}

// stored reports whether encoding/json writes a field.
func stored(f reflect.StructField) bool {
	if f.Tag.Get("json") == "-" {
		return false
	}
	if f.Anonymous && !f.IsExported() {
		t := f.Type
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		return t.Kind() == reflect.Struct
	}
	return f.IsExported()
}

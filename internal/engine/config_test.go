package engine

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// No duration of a configuration overflows when it is added to another one, and none is
// forgotten.
func TestConfig_WithinACentury(t *testing.T) {
	t.Parallel()
	var c Config
	var durations []reflect.Value
	var find func(v reflect.Value)
	find = func(v reflect.Value) {
		for _, field := range v.Fields() {
			switch {
			case field.Type() == reflect.TypeFor[time.Duration]():
				field.SetInt(math.MaxInt64)
				durations = append(durations, field)
			case field.Kind() == reflect.Struct:
				find(field)
			}
		}
	}
	find(reflect.ValueOf(&c).Elem())
	assert.Len(t, durations, 10)
	c = c.withinACentury()
	for i, d := range durations {
		assert.Equal(t, int64(century), d.Int(), "of duration %d", i)
	}
}

package backends_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// encode sets a value through JSON and returns the error.
func encode[V any](t *testing.T, value V) error {
	t.Helper()
	store := backendtest.NewMap[[]byte]()
	coded, err := backends.WithCodec(store, backends.JSON[V]())
	require.NoError(t, err)
	err = coded.Set(t.Context(), "key", backends.Entry[V]{Value: value})
	assert.Equal(t, err == nil, len(store.Snapshot()) == 1, "it is stored, or there is an error")
	return err
}

// folded is a key of maps whose text is the same for some different keys.
type folded struct{ text string }

func (f folded) MarshalText() ([]byte, error) { return []byte(foldAB.Replace(f.text)), nil }

func (f *folded) UnmarshalText(text []byte) error {
	f.text = string(text)
	return nil
}

var foldAB = strings.NewReplacer("A", "a", "B", "b")

// outward can be encoded, and not be decoded.
type outward struct{ Name string }

func (o outward) MarshalJSON() ([]byte, error) { return json.Marshal(o.Name) }

// latin is a string that a method writes into JSON.
type latin string

func (l latin) MarshalJSON() ([]byte, error) { return json.Marshal(string(l)) }

func (l *latin) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, (*string)(l)) }

type hidden struct{ N int }

const (
	badText = "a string or a map key is not valid UTF-8, which JSON cannot hold"
	badKeys = "two keys of a map have the same text in JSON"
	badNum  = "a number in an interface has more digits than a float64 holds"
	noWay   = "the codec cannot decode its own encoding"
)

func TestJSON_RefusesLosses(t *testing.T) {
	t.Parallel()
	const bad = "Z\xfcrich"
	type tagged struct {
		S string `json:",string"`
	}
	type stringer struct{ S fmt.Stringer }
	type embedding struct{ *hidden }
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"a string":                 {encode(t, bad), badText},
		"a string type":            {encode(t, latin(bad)), badText},
		"a field":                  {encode(t, product{Name: bad}), badText},
		"a field behind pointers":  {encode(t, &[]*product{{Name: bad}}), badText},
		"a field that is a string": {encode(t, tagged{bad}), badText},
		"an element":               {encode(t, []string{"a", bad}), badText},
		"an interface":             {encode(t, any(map[string]any{"a": []any{bad}})), badText},
		"a key":                    {encode(t, map[string]int{bad: 1}), badText},
		"keys that become one":     {encode(t, map[string]int{"\xfc": 1, "\xfd": 2}), badText},
		"a key beside an escape":   {encode(t, map[string]int{bad: 1, `\ufffd`: 2}), badText},
		"the text of a key":        {encode(t, map[folded]int{{bad}: 1}), badText},
		"a surrogate":              {encode(t, "\xed\xa0\x80"), badText},
		"raw JSON":                 {encode(t, json.RawMessage(`"`+bad+`"`)), badText},
		"texts of keys that are equal": {
			encode(t, map[folded]int{{"a"}: 1, {"A"}: 2}), badKeys,
		},
		"texts of keys, nested": {
			encode(t, []any{map[string]any{"a": map[folded]any{{"b"}: map[string]int{"c": 1}, {"B"}: nil}}}), badKeys,
		},
		"texts of keys, with quotes": {encode(t, map[folded]string{{`a"\`}: `"`, {`A"\`}: `\`}), badKeys},
		"an int64 in an interface":   {encode[any](t, int64(math.MaxInt64)), badNum},
		"an id in a map":             {encode(t, map[string]any{"id": uint64(1<<53 + 1)}), badNum},
		"a number in a slice":        {encode(t, []any{1.5, json.Number("0.12345678901234567891")}), badNum},
		"no way back to a Stringer":  {encode(t, stringer{big.NewInt(1)}), noWay},
		"no way back to an error":    {encode(t, struct{ E error }{io.EOF}), noWay},
		"no UnmarshalJSON":           {encode(t, outward{"a"}), noWay},
		"an unexported embedded pointer": {
			encode(t, embedding{&hidden{1}}), noWay,
		},
		"a value in a map that cannot be addressed": {encode(t, map[string]big.Int{"a": *big.NewInt(1)}), noWay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, tc.err)
			require.ErrorIs(t, tc.err, backends.ErrLossy)
			var encodeErr *backends.EncodeError
			require.ErrorAs(t, tc.err, &encodeErr)
			assert.True(t, strings.HasPrefix(tc.err.Error(), "backends: the value cannot be encoded: "+tc.want), tc.err)
			assert.NotContains(t, tc.err.Error(), "rich")
		})
	}
}

// Values that look like a loss and are none.
func TestJSON_KeepsWhatIsFaithful(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"Zürich", "\ufffd", `\ufffd`, `\\ufffd`, `"\ufffd"`, "<&>\u2028", "\x00\"\\", "🗝"} {
		roundTrip(t, backends.JSON[string](), s)
		roundTrip(t, backends.JSON[any](), any(s))
		roundTrip(t, backends.JSON[map[string]string](), map[string]string{s: s, s + "a": s, s + `"`: s})
		roundTrip(t, backends.JSON[map[folded]any](), map[folded]any{{s}: map[string]any{"a": s, "b": nil}})
	}
	type mixed struct {
		ID   int64
		Seq  uint64
		Raw  json.RawMessage
		Any  any
		Num  json.Number
		F    float64
		Err  error
		Next *mixed
		Chan chan int `json:"-"`
	}
	roundTrip(t, backends.JSON[mixed](), mixed{
		ID: math.MinInt64, Seq: math.MaxUint64, Raw: json.RawMessage(`{"a":"\ufffd","a":12345678901234567890}`),
		Any: map[string]any{"f": 0.1234567890123456, "big": 1e300, "max": float64(1 << 53)},
		Num: "12345678901234567890", F: math.MaxFloat64, Next: &mixed{Raw: json.RawMessage("null"), Num: "0"},
	})
	roundTrip(t, backends.JSON[any](), any([]any{[]any{}, map[string]any{}, 1.0, -0.5, true, nil}))
	roundTrip(t, backends.JSON[map[int64]string](), map[int64]string{math.MaxInt64: "a", -1: "b"})
	roundTrip(t, backends.JSON[[]byte](), []byte("\xff\xfe"))
	roundTrip(t, backends.JSON[[]byte](), nil)
	roundTrip(t, backends.JSON[[]string](), []string{})
	roundTrip(t, backends.JSON[latin](), latin("Zürich"))
	roundTrip(t, backends.JSON[time.Time](), time.Date(2026, time.May, 1, 2, 3, 4, 5, time.UTC))
}

// The methods of pointers are found in both directions.
func TestJSON_MethodsOfPointers(t *testing.T) {
	t.Parallel()
	type account struct{ Balance big.Int }
	data, err := backends.JSON[account]().Encode(account{*big.NewInt(7)})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Balance":7}`, string(data))
	roundTrip(t, backends.JSON[account](), account{*big.NewInt(7)})
	roundTrip(t, backends.JSON[big.Int](), *big.NewInt(7))
	roundTrip(t, backends.JSON[*big.Int](), big.NewInt(7))
}

func TestJSON_RefusesTypes(t *testing.T) {
	t.Parallel()
	refuses[fmt.Stringer](t, "fmt.Stringer: fmt.Stringer has methods, so JSON cannot tell which type to decode")
	refuses[error](t, "error has methods")
	refuses[json.Marshaler](t, "json.Marshaler has methods")
	refuses[*fmt.Stringer](t, "fmt.Stringer has methods")
	refuses[[]fmt.Stringer](t, "fmt.Stringer has methods")
	refuses[map[string]encoding.TextMarshaler](t, "encoding.TextMarshaler has methods")
	refuses[chan int](t, "chan int has no form in JSON")
	refuses[func()](t, "func() has no form in JSON")
	refuses[complex128](t, "complex128 has no form in JSON")
	refuses[[]chan int](t, "chan int has no form")
	refuses[struct{ Done chan int }](t, "field Done: chan int has no form")
	refuses[struct{ A struct{ F func() } }](t, "field A: field F: func() has no form")
	refuses[map[hidden]int](t, "keys of type backends_test.hidden have no form")
	refuses[map[any]int](t, "keys of type interface {} have no form")
	refuses[map[float64]int](t, "keys of type float64 have no form")
	refuses[struct{ M map[bool]int }](t, "field M: keys of type bool have no form")
}

func refuses[V any](t *testing.T, want string) {
	t.Helper()
	codec := backends.JSON[V]()
	coded, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
	assert.Nil(t, coded)
	require.ErrorIs(t, err, backends.ErrUnsupportedType)
	require.ErrorContains(t, err, want)
	assert.NotContains(t, err.Error(), "\n")

	var zero V
	_, encodeErr := codec.Encode(zero)
	assert.Equal(t, err, encodeErr, "also without WithCodec")
	_, decodeErr := codec.Decode([]byte("null"))
	assert.Equal(t, err, decodeErr)
	_, err = backends.WithCodec(backendtest.NewMap[[]byte](), backends.WithVerify(codec, 1, nil))
	assert.Equal(t, encodeErr, err, "also when it is wrapped")
	assert.ErrorContains(t, &backends.EncodeError{Err: err}, want)
}

// recursive types and those with a way out are not refused.
func TestJSON_AcceptsTypes(t *testing.T) {
	t.Parallel()
	type list struct {
		Next  *list
		Map   map[string]list
		Chans []chan int
		Done  *chan int
		Ready chan int `json:",omitzero"`
		F     func()   `json:"-"`
		Err   error
		mu    sync.Mutex
	}
	require.NoError(t, encode(t, &list{Next: &list{}, mu: sync.Mutex{}}))
	type slice []slice
	require.NoError(t, encode(t, slice{{}}))
	require.NoError(t, encode[any](t, nil))
	require.NoError(t, encode(t, map[folded]int{}))
}

func TestJSON_DecodeRefusesWhatIsNotUTF8(t *testing.T) {
	t.Parallel()
	_, err := backends.JSON[string]().Decode([]byte("\"Z\xfcrich\""))
	require.Error(t, err)
	require.EqualError(t, &backends.DecodeError{Err: err}, "backends: the stored bytes cannot be decoded: they are not valid UTF-8")
}

func TestJSON_DecodeErrorHasNoValue(t *testing.T) {
	t.Parallel()
	got, err := backends.JSON[product]().Decode([]byte(`{"Name":"lamp","price":"dear"}`))
	require.Error(t, err)
	assert.Zero(t, got, "nothing of what was read before the error")
}

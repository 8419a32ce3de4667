package backends_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

type panicking struct{ error }

func (panicking) Unwrap() error { panic("Unwrap") }

func TestCodecErrors_Texts(t *testing.T) {
	t.Parallel()
	decode := func(codec backends.Codec[product], data string) error {
		_, err := codec.Decode([]byte(data))
		return err
	}
	_, base64Err := backends.JSON[[]byte]().Decode([]byte(`"` + secret + `*"`))
	_, keyErr := backends.JSON[map[int8]int]().Decode([]byte(`{"12345678":1}`))
	_, floatErr := backends.JSON[any]().Decode([]byte(`1e9876`))
	_, cycleErr := json.Marshal(cycle())
	_, numberErr := json.Marshal(json.Number(secret))
	_, marshalerErr := json.Marshal(refusing{})
	_, brokenErr := json.Marshal(broken{})
	js := backends.JSON[product]()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"a type":           {encodeErrorOf[any](make(chan int)), ": json: unsupported type chan int"},
		"an infinity":      {encodeErrorOf(math.Inf(1)), ": json: a float64 is not a finite number"},
		"not a number":     {encodeErrorOf(float32(math.NaN())), ": json: a float32 is not a finite number"},
		"a cycle":          {cycleErr, ": json: a []interface {} contains itself"},
		"no value":         {&json.UnsupportedValueError{Str: secret}, ": json: unsupported value"},
		"a number":         {numberErr, " (*errors.errorString)"},
		"a marshaler":      {marshalerErr, ": json: the marshaler of backends_test.refusing failed (backends_test.secretive)"},
		"bad JSON":         {brokenErr, ": json: the marshaler of backends_test.broken failed: json: syntax error at byte 0"},
		"no marshaler":     {&json.MarshalerError{Err: secretive{}}, ": json: the marshaler of an unknown type failed (backends_test.secretive)"},
		"syntax":           {decode(js, `{"Name":`+secret), ": json: syntax error at byte 9"},
		"the end":          {decode(js, `{"Name":"`+secret), ": json: syntax error at byte 16"},
		"a string":         {decode(js, `"`+secret+`"`), ": json: the string at byte 9 does not fit backends_test.product"},
		"a field":          {decode(js, `{"price":"`+secret+`"}`), ": json: the string at byte 18 does not fit int"},
		"a large number":   {decode(js, `{"price":1234567890123456789012}`), ": json: the number at byte 31 does not fit int"},
		"a float":          {floatErr, ": json: the number at byte 7 does not fit float64"},
		"a key":            {keyErr, ": json: the number at byte 2 does not fit int8"},
		"another word":     {&json.UnmarshalTypeError{Value: secret}, ": json: the value at byte 0 does not fit an unknown type"},
		"base64":           {base64Err, ": illegal base64 data at input byte 7"},
		"wrapped":          {fmt.Errorf("%s: %w", secret, io.ErrUnexpectedEOF), ": unexpected EOF"},
		"too large":        {&backends.TooLargeError{What: "value", Size: 2, Max: 1}, ": the value has 2 bytes, and the store takes 1"},
		"damaged":          {&backends.DamagedError{Reason: "cut"}, ": the stored bytes are cut: set or delete the key to get rid of them"},
		"of another":       {secretive{}, " (backends_test.secretive)"},
		"a panic":          {panicking{errors.New(secret)}, " (backends_test.panicking)"},
		"nothing":          {nil, " (<nil>)"},
		"of a codec's own": {errors.New(secret), " (*errors.errorString)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.EqualError(t, &backends.EncodeError{Err: tc.err}, "backends: the value cannot be encoded"+tc.want)
			require.EqualError(t, &backends.DecodeError{Err: tc.err}, "backends: the stored bytes cannot be decoded"+tc.want)
		})
	}
}

func encodeErrorOf[V any](v V) error {
	_, err := backends.JSON[V]().Encode(v)
	return err
}

func cycle() any {
	s := make([]any, 1)
	s[0] = s
	return s
}

// refusing cannot be encoded, and its error quotes the value.
type refusing struct{}

func (refusing) MarshalJSON() ([]byte, error) { return nil, secretive{} }

// broken is encoded to invalid JSON.
type broken struct{}

func (broken) MarshalJSON() ([]byte, error) { return []byte(secret), nil }

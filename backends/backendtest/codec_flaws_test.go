package backendtest_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
)

// user is the type of the values that the flawed codecs encode.
type user struct {
	Name  string
	Langs []string
	Data  []byte
	Marks map[string]int
}

// of is a codec of functions. The ones that are nil are those of JSON.
type of struct {
	encode   func(u *user) ([]byte, error)
	decode   func(data []byte) (*user, error)
	validate func() error
}

var _ backends.CodecValidator = of{}

func (c of) Encode(u *user) ([]byte, error) {
	if c.encode != nil {
		return c.encode(u)
	}
	return json.Marshal(u)
}

func (c of) Decode(data []byte) (u *user, err error) {
	if c.decode != nil {
		return c.decode(data)
	}
	err = json.Unmarshal(data, &u)
	return u, err
}

func (c of) Validate() error {
	if c.validate != nil {
		return c.validate()
	}
	return nil
}

// codecFlaw is a codec with one flaw and the tests of the suite that find it.
type codecFlaw struct {
	codec backends.Codec[*user]
	found []string
	races bool // it shares values, which the race detector finds
}

func codecFlaws() map[string]codecFlaw {
	return map[string]codecFlaw{
		"it says that it cannot be used": {
			codec: of{validate: func() error { return errors.New("no key") }},
			found: []string{"codec-is-usable"},
		},
		"a field is lost": {
			codec: of{encode: func(u *user) ([]byte, error) {
				return json.Marshal(user{Name: u.Name, Langs: u.Langs, Marks: u.Marks})
			}},
			found: []string{"values-come-back-equal", "concurrent-use"},
		},
		"nil becomes empty": {
			codec: of{decode: func(data []byte) (*user, error) {
				u := user{Langs: []string{}}
				err := json.Unmarshal(data, &u)
				if u.Langs == nil {
					u.Langs = []string{}
				}
				return &u, err
			}},
			found: []string{"values-come-back-equal", "concurrent-use"},
		},
		"not everything can be encoded": {
			codec: of{encode: func(u *user) ([]byte, error) {
				if len(u.Data) > 0 {
					return nil, errFlaw
				}
				return json.Marshal(u)
			}},
			found: []string{
				"values-come-back-equal", "encode-does-not-modify-the-value", "encode-does-not-reuse-bytes",
				"decode-does-not-modify-the-bytes", "decode-does-not-reuse-a-value", "decode-survives-damage",
				"equal-values-have-equal-bytes", "concurrent-use",
			},
		},
		"the value is sorted in place": {
			codec: of{encode: func(u *user) ([]byte, error) {
				data, err := json.Marshal(u)
				slices.Sort(u.Langs)
				return data, err
			}},
			found: []string{"encode-does-not-modify-the-value"},
			races: true,
		},
		"one buffer for all bytes": {
			codec: oneBuffer(),
			found: []string{"encode-does-not-reuse-bytes"},
			races: true,
		},
		"the bytes are turned in place": {
			codec: of{decode: func(data []byte) (*user, error) {
				var u *user
				err := json.Unmarshal(data, &u)
				for i := range data {
					data[i] = '?'
				}
				return u, err
			}},
			found: []string{"decode-does-not-modify-the-bytes", "decode-survives-damage"},
		},
		"one value for all": {
			codec: oneValue(),
			found: []string{"decode-does-not-reuse-a-value"},
			races: true,
		},
		"damage panics": {
			codec: of{decode: func(data []byte) (*user, error) {
				var u *user
				if err := json.Unmarshal(data, &u); err != nil {
					panic(err)
				}
				return u, nil
			}},
			found: []string{"decode-survives-damage", "decode-does-not-reuse-a-value", "decode-refuses-bytes"},
		},
		"damage is the zero value": {
			codec: of{decode: func(data []byte) (*user, error) {
				var u user
				_ = json.Unmarshal(data, &u)
				return &u, nil
			}},
			found: []string{"decode-survives-damage", "decode-refuses-bytes"},
		},
		"one call at a time": {
			codec: oneCall(),
			found: []string{"concurrent-use"},
		},
		"any text is accepted": {
			codec: of{encode: func(u *user) ([]byte, error) { return json.Marshal(u) }},
			found: []string{"encode-refuses-values"},
		},
		"the keys come as they like": {
			codec: of{
				encode: func(u *user) ([]byte, error) {
					if !strings.HasPrefix(u.Name, "Z\xfc") {
						var b bytes.Buffer
						err := gob.NewEncoder(&b).Encode(u)
						return b.Bytes(), err
					}
					return nil, errFlaw
				},
				decode: func(data []byte) (*user, error) {
					var u user
					err := gob.NewDecoder(bytes.NewReader(data)).Decode(&u)
					return &u, err
				},
			},
			found: []string{"equal-values-have-equal-bytes"},
		},
	}
}

// oneCall returns a codec that fails when it is called while it works.
func oneCall() backends.Codec[*user] {
	var calls atomic.Int32
	return of{encode: func(u *user) ([]byte, error) {
		calls.Add(1)
		defer calls.Add(-1)
		for range 100 {
			if calls.Load() > 1 {
				return nil, errFlaw
			}
			runtime.Gosched()
		}
		return json.Marshal(u)
	}}
}

// oneBuffer returns a codec that uses its buffer again.
func oneBuffer() backends.Codec[*user] {
	var mu sync.Mutex
	buffer := make([]byte, 0, 1<<10)
	return of{encode: func(u *user) ([]byte, error) {
		data, err := json.Marshal(u)
		mu.Lock()
		defer mu.Unlock()
		buffer = append(buffer[:0], data...)
		return buffer, err
	}}
}

// oneValue returns a codec that decodes into the same value each time.
func oneValue() backends.Codec[*user] {
	var mu sync.Mutex
	shared := new(user)
	return of{decode: func(data []byte) (*user, error) {
		mu.Lock()
		defer mu.Unlock()
		var u user
		if err := json.Unmarshal(data, &u); err != nil {
			return nil, err
		}
		*shared = u
		return shared, nil
	}}
}

// Package msgpackcodec encodes values as MessagePack, by vmihailenco/msgpack: binary, smaller and
// faster than JSON, and readable in other languages.
//
//	users, err := backends.WithCodec(store, msgpackcodec.New[User]())
//
// Some values come back changed, and MessagePack does not report it:
//
//   - unexported fields, and those with the tag `msgpack:"-"`, are not stored;
//   - a time.Time comes back in the local time zone, without its monotonic clock reading;
//   - in an interface, an int comes back as int64, a uint as uint64, and a struct as map[string]any.
//
// [backends.WithVerify] finds such values while a service runs, and backendtest.CodecSuite in a test.
//
// Bytes from a store are checked before they are decoded: they must be exactly one value, nested at
// most 10 000 deep, so that no bytes can exhaust the stack or the memory. A value that contains
// itself ends the process when it is encoded, because the encoder never finishes and exhausts the
// stack.
package msgpackcodec

// Package protobufcodec encodes messages of Protocol Buffers.
//
//	users, err := backends.WithCodec(store, protobufcodec.New[*userpb.User]())
//
// Fields that a message of this process does not know are kept, so that an older instance of a
// service that reads and writes an entry does not lose the fields of a newer one.
//
// Equal messages have equal encodings in processes of one build; for that, the keys of maps are
// sorted. Compare messages with proto.Equal: give it to [backends.WithVerify] and
// backendtest.CodecSuite.
package protobufcodec

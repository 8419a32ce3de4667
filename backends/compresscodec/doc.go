// Package compresscodec compresses the values of another codec, by zstd or s2. It saves memory in
// the store and bytes on the network, and costs time in the process.
//
//	codec := compresscodec.New(backends.JSON[User](), compresscodec.WithMinSize(4<<10))
//	users, err := backends.WithCodec(store, codec)
//
// Values below a minimal size, and those that compression does not make smaller, are stored as
// they are. A leading byte says how a value is stored, so that every codec of this package reads the
// values of every other one: the algorithm and the sizes can be changed while the store is in use.
//
// This codec cannot read values that were stored without it, and other codecs cannot read values
// that were stored with it. Use another key prefix to keep the two apart.
//
// Compressed values have a checksum. Damaged ones, and those that exceed the maximal size, are
// errors of Decode, which a cache reports as a [backends.DecodeError].
package compresscodec

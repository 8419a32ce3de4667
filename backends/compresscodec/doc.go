// Package compresscodec makes the values of another codec smaller, by zstd or s2, in a store that
// is shared or persistent: less memory there, fewer bytes on the way, for time in the process.
//
//	codec := compresscodec.New(backends.JSON[User](), compresscodec.WithMinSize(4<<10))
//	users, err := backends.WithCodec(store, codec)
//
// Values below a minimal size, and those that compression does not make smaller, are stored as
// they are. A leading byte says how a value is stored, so that every codec of this package reads the
// values of every other one: the algorithm and the sizes can be changed while the store is in use.
//
// Values that were stored without this package are not readable, and those that were stored with it
// are not readable without. Another key prefix keeps the two apart.
//
// Compressed values have a checksum. Damaged ones, and those that exceed the maximal size, are
// errors of Decode, which a cache reports as a [backends.DecodeError].
package compresscodec

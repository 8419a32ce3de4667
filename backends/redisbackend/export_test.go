package redisbackend

// Parts of the format, for tests.
const HeaderSize = headerSize

var (
	Encode = encode
	Decode = decode
)

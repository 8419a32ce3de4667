package redisbackend

// What the tests need to see of the format.
const HeaderSize = headerSize

var (
	Encode = encode
	Decode = decode
)

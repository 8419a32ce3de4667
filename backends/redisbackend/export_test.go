package redisbackend

import "github.com/tiercache/tiercache/internal/header"

// Parts of the format, for tests.
const HeaderSize = header.Size

var (
	Encode = encode
	Decode = decode
)

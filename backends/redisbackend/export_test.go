package redisbackend

import (
	"github.com/tiercache/tiercache/internal/header"
	"github.com/tiercache/tiercache/internal/redislog"
)

// Parts of the format, for tests.
const HeaderSize = header.Size

var (
	Encode = redislog.Encode
	Decode = redislog.Decode
)

// WatchError is the error of Watch for one of a reader.
var WatchError = watchError

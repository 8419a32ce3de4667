package badgerbackend

// Parts of the format and of the errors, for tests.
const HeaderSize = headerSize

var (
	Encode     = encode
	Decode     = decode
	WriteError = writeError
	ReadError  = readError
)

// WithFreeSpace replaces the system's answer.
func WithFreeSpace(freeSpace func(dir string) (uint64, error)) Option {
	return optionFunc(func(c config) config {
		c.freeSpace = freeSpace
		return c
	})
}

// FreeSpace is the system's answer.
var FreeSpace = freeSpace

package badgerbackend

// Parts of the errors, for tests.
var (
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

package badgerbackend

// What the tests need to see of the format and of the errors.
const HeaderSize = headerSize

var (
	Encode     = encode
	Decode     = decode
	WriteError = writeError
	ReadError  = readError
)

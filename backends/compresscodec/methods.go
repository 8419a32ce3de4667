package compresscodec

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// The leading byte of a stored value. Stores have them: they must not change.
const (
	methodNone byte = 0 // the other codec's bytes follow
	methodZstd byte = 1 // a zstd frame with a checksum follows
	methodS2   byte = 2 // a checksum of the s2 block, and the block, follow
)

// sizeError says that a value would be larger than allowed.
type sizeError struct{ size int64 }

func (*sizeError) Error() string { return "compresscodec: the decompressed value is too large" }

var errDamaged = errors.New("compresscodec: the checksum does not match")

// zstdCoder has the state that makes zstd fast. It is made once; the zero value is of no use.
type zstdCoder struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	max     uint64
}

func newZstdCoder(maxSize int) (zstdCoder, error) {
	// Small values have few repetitions: the frequencies of their bytes count too.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true), zstd.WithAllLitEntropyCompression(true))
	if err != nil {
		return zstdCoder{}, err
	}
	limit := uint64(maxSize) //nolint:gosec // config.validate has seen that it is positive
	// At least 1 MiB for the decoder's own checks of windows; decompress knows the exact limit.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(max(limit, 1<<20)))
	return zstdCoder{encoder: encoder, decoder: decoder, max: limit}, err
}

// compress returns the method and a frame.
func (z zstdCoder) compress(plain []byte) []byte {
	return z.encoder.EncodeAll(plain, append(make([]byte, 0, 1+len(plain)/2), methodZstd))
}

// decompress allocates no more than the limit, whatever a frame says of its size.
func (z zstdCoder) decompress(frame []byte) ([]byte, error) {
	var header zstd.Header
	if err := header.Decode(frame); err != nil {
		return nil, err
	}
	if header.HasFCS && header.FrameContentSize > z.max {
		return nil, &sizeError{int64(min(header.FrameContentSize, 1<<62))} //nolint:gosec // it fits by min
	}
	plain, err := z.decoder.DecodeAll(frame, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) || err == nil && uint64(len(plain)) > z.max {
		return nil, &sizeError{int64(max(uint64(len(plain)), z.max+1))} //nolint:gosec // at least; both are below 1<<62
	}
	return plain, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// s2Compress returns the method, a checksum and a block. A block has no checksum of its own.
func s2Compress(plain []byte) []byte {
	const head = 1 + crc32.Size
	data := make([]byte, head+s2.MaxEncodedLen(len(plain)))
	block := s2.Encode(data[head:], plain)
	data[0] = methodS2
	binary.BigEndian.PutUint32(data[1:], crc32.Checksum(block, castagnoli))
	return append(make([]byte, 0, head+len(block)), data[:head+len(block)]...) // stores keep it: no room behind
}

func s2Decompress(body []byte, maxSize int) ([]byte, error) {
	if len(body) < crc32.Size {
		return nil, errDamaged
	}
	block := body[crc32.Size:]
	if crc32.Checksum(block, castagnoli) != binary.BigEndian.Uint32(body) {
		return nil, errDamaged
	}
	size, err := s2.DecodedLen(block)
	if err != nil {
		return nil, err
	}
	if size > maxSize {
		return nil, &sizeError{int64(size)}
	}
	return s2.Decode(nil, block)
}

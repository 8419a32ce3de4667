package msgpackcodec

import (
	"bytes"
	"io"
	"slices"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// reader returns a reader of data for the decoder. Where the decoder expects a map and meets an
// extension, it skips the extension's head and takes its bytes for the map, which nobody has
// checked: five bytes would make it allocate 64 GiB. The bytes of an extension are read as a
// block otherwise, so that reading the first one of disguised alone gives it away.
func reader(data []byte, disguised []int) io.Reader {
	r := bytes.NewReader(data)
	if len(disguised) == 0 {
		return r
	}
	return &guardedReader{Reader: r, disguised: disguised}
}

type guardedReader struct {
	*bytes.Reader
	disguised []int // offsets, in order
}

// ReadByte returns the next byte, or an error if it would be taken for the head of a map.
func (r *guardedReader) ReadByte() (byte, error) {
	offset := int(r.Size()) - r.Len()
	if _, found := slices.BinarySearch(r.disguised, offset); found {
		return 0, errExt
	}
	return r.Reader.ReadByte()
}

// extensionHead returns the bytes before those of an extension, or 0 if code begins none.
func extensionHead(code byte) int {
	switch code {
	case msgpcode.FixExt1, msgpcode.FixExt2, msgpcode.FixExt4, msgpcode.FixExt8, msgpcode.FixExt16:
		return 2
	case msgpcode.Ext8:
		return 3
	case msgpcode.Ext16:
		return 4
	case msgpcode.Ext32:
		return 6
	default:
		return 0
	}
}

// beginsMap reports whether the decoder reads code as a map, or as a map that is nil.
func beginsMap(code byte) bool {
	return msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32 || code == msgpcode.Nil
}

package msgpackcodec

import (
	"encoding/binary"

	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/tiercache/tiercache/backends"
)

// maxDepth is the limit of nesting. encoding/json has the same.
const maxDepth = 10_000

var (
	errCut   = &backends.DamagedError{Reason: "cut, or no MessagePack"}
	errMore  = &backends.DamagedError{Reason: "more than one value of MessagePack"}
	errDeep  = &backends.DamagedError{Reason: "nested too deep"}
	errExt   = &backends.DamagedError{Reason: "an extension where a map belongs"}
	errNever = &backends.DamagedError{Reason: "no MessagePack: it does not use the byte 0xc1"}
)

// checkValue returns an error unless data is one value of MessagePack. It does not recurse, and
// needs memory for the depth alone, so that the decoder, which does neither, is safe afterwards: no
// length that it meets exceeds the bytes that there are. The bytes of an extension are not checked;
// disguised has where those begin that the decoder could take for a map.
func checkValue(data []byte) (disguised []int, err error) {
	open := make(levels, 0, 16) // on the stack, for values that are not nested deeper
	rest := data
	for first := true; first || len(open) > 0; first = false {
		size, children, err := head(rest)
		if err != nil {
			return nil, err
		}
		if n := extensionHead(rest[0]); n > 0 && size > n && beginsMap(rest[n]) {
			disguised = append(disguised, len(data)-len(rest)+n)
		}
		rest = rest[size:]
		if children > uint64(len(rest)) { // each has at least a byte
			return nil, errCut
		}
		if open, err = open.add(children); err != nil {
			return nil, err
		}
	}
	if len(rest) > 0 {
		return nil, errMore
	}
	return disguised, nil
}

// levels are the values still to come in each array and map around.
type levels []uint64

// add returns the levels after a value, which contains so many others.
func (l levels) add(children uint64) (levels, error) {
	switch {
	case children == 0:
		return l.end(), nil
	case len(l) == maxDepth:
		return nil, errDeep
	default:
		return append(l, children), nil
	}
}

// end ends a value, and each one around it that it is the last of.
func (l levels) end() levels {
	for len(l) > 0 {
		last := len(l) - 1
		l[last]--
		if l[last] > 0 {
			break
		}
		l = l[:last]
	}
	return l
}

// head returns the size of the value that data begins with, without those that it contains, and
// their number. See https://github.com/msgpack/msgpack/blob/master/spec.md.
func head(data []byte) (size int, children uint64, err error) {
	if len(data) == 0 {
		return 0, 0, errCut
	}
	code := data[0]
	switch {
	case msgpcode.IsFixedNum(code):
		return 1, 0, nil
	case msgpcode.IsFixedString(code):
		return sized(data, 1, uint64(code&msgpcode.FixedStrMask))
	case msgpcode.IsFixedArray(code):
		return 1, uint64(code & msgpcode.FixedArrayMask), nil
	case msgpcode.IsFixedMap(code):
		return 1, 2 * uint64(code&msgpcode.FixedMapMask), nil
	}
	switch code {
	case msgpcode.Nil, msgpcode.False, msgpcode.True:
		return 1, 0, nil
	case msgpcode.Uint8, msgpcode.Int8:
		return sized(data, 1, 1)
	case msgpcode.Uint16, msgpcode.Int16, msgpcode.FixExt1:
		return sized(data, 1, 2)
	case msgpcode.FixExt2:
		return sized(data, 1, 3)
	case msgpcode.Uint32, msgpcode.Int32, msgpcode.Float:
		return sized(data, 1, 4)
	case msgpcode.FixExt4:
		return sized(data, 1, 5)
	case msgpcode.Uint64, msgpcode.Int64, msgpcode.Double:
		return sized(data, 1, 8)
	case msgpcode.FixExt8:
		return sized(data, 1, 9)
	case msgpcode.FixExt16:
		return sized(data, 1, 17)
	}
	return long(code, data)
}

// long is head for the values that give their length in bytes of their own.
func long(code byte, data []byte) (size int, children uint64, err error) {
	var digits int
	switch code {
	case msgpcode.Bin8, msgpcode.Str8, msgpcode.Ext8:
		digits = 1
	case msgpcode.Bin16, msgpcode.Str16, msgpcode.Ext16, msgpcode.Array16, msgpcode.Map16:
		digits = 2
	case msgpcode.Bin32, msgpcode.Str32, msgpcode.Ext32, msgpcode.Array32, msgpcode.Map32:
		digits = 4
	default:
		return 0, 0, errNever
	}
	if len(data) < 1+digits {
		return 0, 0, errCut
	}
	var padded [8]byte
	copy(padded[8-digits:], data[1:1+digits])
	length := binary.BigEndian.Uint64(padded[:])
	switch code {
	case msgpcode.Array16, msgpcode.Array32:
		return 1 + digits, length, nil
	case msgpcode.Map16, msgpcode.Map32:
		return 1 + digits, 2 * length, nil
	case msgpcode.Ext8, msgpcode.Ext16, msgpcode.Ext32:
		return sized(data, 1+digits, length+1) // with its type
	default:
		return sized(data, 1+digits, length)
	}
}

// sized returns the size of a head and the bytes that follow it, if data has them.
func sized(data []byte, before int, length uint64) (size int, children uint64, err error) {
	if length > uint64(len(data)-before) { //nolint:gosec // the caller has seen that data has the head
		return 0, 0, errCut
	}
	return before + int(length), 0, nil //nolint:gosec // it is no more than len(data)
}

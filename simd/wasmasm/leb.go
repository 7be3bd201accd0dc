package wasmasm

import (
	"encoding/binary"
	"math"
)

// appendU32 appends v in unsigned LEB128.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendS64 appends v in signed LEB128; the shortest form of a 32-bit value is the same in both widths.
func appendS64(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7F)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendF32(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

func appendF64(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// appendName appends a length-prefixed string.
func appendName(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }

// appendVec appends a length-prefixed byte string.
func appendVec(b, v []byte) []byte { return append(appendU32(b, uint32(len(v))), v...) }

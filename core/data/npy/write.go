package npy

import (
	"errors"
	"io"
	"math"
	"strconv"
)

// Element is a type that Write writes.
type Element interface {
	bool | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

// Write writes an array in version 1 of the format, little-endian, in C order. The product of the
// shape must be the number of elements; an empty shape is a single number.
func Write[T Element](w io.Writer, shape []int, elements []T) error {
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/d {
			return errors.New("weft: npy: dimension " + strconv.Itoa(d) + " is negative or too large")
		}
		n *= d
	}
	if n != len(elements) || len(shape) > maxDims {
		return errors.New("weft: npy: got " + strconv.Itoa(len(elements)) + " elements, the shape asks for " + strconv.Itoa(n))
	}
	var zero T
	descr, width := describe(zero)
	h := []byte("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (")
	for i, d := range shape {
		if i > 0 {
			h = append(h, ' ')
		}
		h = strconv.AppendInt(h, int64(d), 10)
		if i < len(shape)-1 || len(shape) == 1 {
			h = append(h, ',')
		}
	}
	h = append(h, "), }"...)
	for (10+len(h)+1)%64 != 0 { // the elements start at a multiple of 64
		h = append(h, ' ')
	}
	h = append(h, '\n')
	if _, err := w.Write(append([]byte{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, byte(len(h)), byte(len(h) >> 8)}, h...)); err != nil {
		return err
	}
	buf := make([]byte, 0, 1<<16)
	for i, v := range elements {
		u := bitsOf(v)
		for range width {
			buf = append(buf, byte(u))
			u >>= 8
		}
		if len(buf)+width > cap(buf) || i == len(elements)-1 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

// describe returns NumPy's name of a type and the bytes of an element.
func describe(v any) (descr string, width int) {
	switch v.(type) {
	case bool:
		return "|b1", 1
	case int8:
		return "|i1", 1
	case uint8:
		return "|u1", 1
	case int16:
		return "<i2", 2
	case uint16:
		return "<u2", 2
	case int32:
		return "<i4", 4
	case uint32:
		return "<u4", 4
	case int64:
		return "<i8", 8
	case uint64:
		return "<u8", 8
	case float32:
		return "<f4", 4
	}
	return "<f8", 8
}

// bitsOf returns the bits of an element.
func bitsOf[T Element](v T) uint64 {
	switch v := any(v).(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case int8:
		return uint64(v)
	case uint8:
		return uint64(v)
	case int16:
		return uint64(v)
	case uint16:
		return uint64(v)
	case int32:
		return uint64(v)
	case uint32:
		return uint64(v)
	case int64:
		return uint64(v)
	case uint64:
		return v
	case float32:
		return uint64(math.Float32bits(v))
	case float64:
		return math.Float64bits(v)
	}
	return 0
}

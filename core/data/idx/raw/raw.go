// Package raw reads the IDX format of the MNIST family from data that is not compressed; package idx, above it, reads files and folders. It is apart
// so that a program that unpacks by itself, as a page does, links no decompressor.
package raw

import (
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/internal/bounded"
)

// Type is the type of an array's elements, the third byte of the file.
type Type byte

// The element types of IDX.
const (
	Uint8   Type = 0x08
	Int8    Type = 0x09
	Int16   Type = 0x0B
	Int32   Type = 0x0C
	Float32 Type = 0x0D
	Float64 Type = 0x0E
)

// Size returns the bytes of one element, 0 for a type that IDX does not define.
func (t Type) Size() int {
	switch t {
	case Uint8, Int8:
		return 1
	case Int16:
		return 2
	case Int32, Float32:
		return 4
	case Float64:
		return 8
	}
	return 0
}

// String returns the name of the type.
func (t Type) String() string {
	switch t {
	case Uint8:
		return "uint8"
	case Int8:
		return "int8"
	case Int16:
		return "int16"
	case Int32:
		return "int32"
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	}
	return "unknown type 0x" + strconv.FormatUint(uint64(t), 16)
}

// Array is the content of an IDX file.
type Array struct {
	Type Type
	Dims []int
	raw  []byte // elements, big-endian
}

// Read reads a whole file that is not compressed. name stands in errors. The header must fit the actual length exactly: truncated files
// and trailing bytes are errors with their offset. Elements of more than limit bytes are refused.
func Read(in io.Reader, name string, limit int64) (*Array, error) {
	head, err := bounded.ReadN(in, 4)
	if err != nil {
		return nil, readFailure(name, len(head), "the 4 bytes of the magic number", err)
	}
	a := &Array{Type: Type(head[2])}
	if head[0] != 0 || head[1] != 0 || a.Type.Size() == 0 {
		return nil, Failure(name, 0, "not an IDX file: it starts with "+hex(head)+", expected 00 00, an element type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions")
	}
	n := int(head[3])
	dims, err := bounded.ReadN(in, int64(4*n))
	if err != nil {
		return nil, readFailure(name, 4+len(dims), strconv.Itoa(n)+" dimensions of 4 bytes", err)
	}
	size, empty := int64(a.Type.Size()), false
	for i := range n {
		d := int64(dims[4*i])<<24 | int64(dims[4*i+1])<<16 | int64(dims[4*i+2])<<8 | int64(dims[4*i+3])
		a.Dims = append(a.Dims, int(d))
		if d == 0 {
			empty = true
			continue
		}
		if size > limit/d {
			return nil, Failure(name, int64(4+4*i), "the header declares more than "+strconv.FormatInt(limit, 10)+
				" bytes of elements: the file is corrupt, or raise the limit")
		}
		size *= d
	}
	if empty {
		size = 0
	}
	start := int64(4 + 4*n)
	a.raw, err = bounded.ReadN(in, size)
	if err != nil {
		return nil, readFailure(name, int(start)+len(a.raw), strconv.FormatInt(size, 10)+" bytes of elements from offset "+strconv.FormatInt(start, 10), err)
	}
	end, err := bounded.AtEOF(in)
	if err != nil {
		return nil, readFailure(name, int(start+size), "the end of the file", err)
	}
	if !end {
		return nil, Failure(name, start+size, "there are bytes after the last element: the header does not fit the file")
	}
	return a, nil
}

// Len returns the number of elements.
func (a *Array) Len() int { return len(a.raw) / a.Type.Size() }

// Uint8s returns the elements of a uint8 array, not a copy; ok is false for any other type.
func (a *Array) Uint8s() (elements []byte, ok bool) {
	return a.raw, a.Type == Uint8
}

// At returns element i as a float64, which holds every element type exactly.
func (a *Array) At(i int) float64 {
	s := a.Type.Size()
	b := a.raw[i*s : (i+1)*s]
	var u uint64
	for _, x := range b {
		u = u<<8 | uint64(x)
	}
	switch a.Type {
	case Uint8:
		return float64(u)
	case Int8:
		return float64(int8(u))
	case Int16:
		return float64(int16(u))
	case Int32:
		return float64(int32(u))
	case Float32:
		return float64(math.Float32frombits(uint32(u)))
	default:
		return math.Float64frombits(u)
	}
}

// Float32s returns all elements as float32, rounded to nearest.
func (a *Array) Float32s() []float32 {
	out := make([]float32, a.Len())
	for i := range out {
		out[i] = float32(a.At(i))
	}
	return out
}

// Failure names the file, the offset in the uncompressed data and the problem.
func Failure(name string, offset int64, text string) error {
	return errors.New("weft: idx: " + name + ": offset " + strconv.FormatInt(offset, 10) + ": " + text)
}

// readFailure tells a file that ends early from one that cannot be read.
func readFailure(name string, offset int, expected string, err error) error {
	if err == io.ErrUnexpectedEOF {
		return Failure(name, int64(offset), "the file ends here, expected "+expected+": it is truncated, fetch it again")
	}
	return &readError{Failure(name, int64(offset), "reading "+expected+": "+err.Error()).Error(), err}
}

// readError is an error of the underlying reader, for errors.Is.
type readError struct {
	text string
	err  error
}

func (e *readError) Error() string { return e.text }
func (e *readError) Unwrap() error { return e.err }

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for i, x := range b {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

// Samples joins an array of pictures [n, height, width] and one of labels [n], both of bytes, pixels becoming byte / 255; samples have the shape [1, height, width], and there are as many classes as the highest label asks for, at
// least classes. The names stand in errors.
func Samples(images *Array, imagesName string, labels *Array, labelsName string, classes int) (*data.Bytes, error) {
	pixels, ok := images.Uint8s()
	if !ok || len(images.Dims) != 3 {
		return nil, Failure(imagesName, 0, "expected uint8 images of 3 dimensions, got "+describe(images))
	}
	classOf, ok := labels.Uint8s()
	if !ok || len(labels.Dims) != 1 {
		return nil, Failure(labelsName, 0, "expected uint8 labels of 1 dimension, got "+describe(labels))
	}
	if images.Dims[0] != labels.Dims[0] {
		return nil, Failure(labelsName, 4, "there are "+strconv.Itoa(labels.Dims[0])+" labels for the "+strconv.Itoa(images.Dims[0])+
			" images of "+imagesName+": the files do not belong together")
	}
	if len(pixels) == 0 {
		return nil, Failure(imagesName, 4, "there are no images in the file")
	}
	out := make([]int64, len(classOf))
	for i, l := range classOf {
		out[i] = int64(l)
		classes = max(classes, int(l)+1)
	}
	return data.NewBytes(data.Spec{Shape: []int{1, images.Dims[1], images.Dims[2]}, Classes: classes}, pixels, out, 0)
}

func describe(a *Array) string {
	return a.Type.String() + " of " + strconv.Itoa(len(a.Dims)) + " dimensions"
}

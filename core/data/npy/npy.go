// Package npy reads and writes NumPy's .npy format, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): booleans, integers and
// floats of every width and byte order, in C or Fortran order.
package npy

import (
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/internal/bounded"
)

// DefaultMaxBytes bounds the elements of one array unless Options say otherwise.
const DefaultMaxBytes = 1 << 30

// maxHeader bounds the header text; NumPy's own are a few hundred bytes.
const maxHeader = 1 << 16

// maxDims bounds the number of dimensions, as NumPy does.
const maxDims = 64

// Options change how a file is read. The zero value suits every real file.
type Options struct {
	MaxBytes int64 // largest size of the elements; 0 means DefaultMaxBytes
}

// Array is the content of a .npy file, its elements in C order and little-endian.
type Array struct {
	Kind  byte // 'b' boolean, 'i' signed, 'u' unsigned integer, 'f' float
	Width int  // bytes of an element: 1, 2, 4 or 8
	Shape []int
	raw   []byte
}

// Read reads one array and leaves the reader after its last byte. name stands in errors.
func Read(r io.Reader, name string, opt Options) (*Array, error) {
	limit := opt.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	head, err := bounded.ReadN(r, 8)
	if err != nil {
		return nil, readFailure(name, len(head), "the 8 bytes of magic and version", err)
	}
	if string(head[:6]) != "\x93NUMPY" {
		return nil, failure(name, 0, "not a .npy file: it starts with "+strconv.Quote(string(head[:6]))+`, expected "\x93NUMPY"`)
	}
	if head[6] < 1 || head[6] > 3 {
		return nil, failure(name, 6, "version "+strconv.Itoa(int(head[6]))+" is unknown, expected 1, 2 or 3: save it with numpy.save")
	}
	width := int64(4)
	if head[6] == 1 {
		width = 2
	}
	size, err := bounded.ReadN(r, width)
	if err != nil {
		return nil, readFailure(name, 8+len(size), "the length of the header", err)
	}
	n := int64(0)
	for i, b := range size {
		n |= int64(b) << (8 * i)
	}
	if n > maxHeader {
		return nil, failure(name, 8, "the header is said to have "+strconv.FormatInt(n, 10)+" bytes, at most "+strconv.Itoa(maxHeader)+" are allowed: the file is corrupt")
	}
	start := 8 + width
	text, err := bounded.ReadN(r, n)
	if err != nil {
		return nil, readFailure(name, int(start)+len(text), "a header of "+strconv.FormatInt(n, 10)+" bytes", err)
	}
	h, at, why := parseHeader(string(text))
	if why != "" {
		return nil, failure(name, start+int64(at), "broken header: "+why)
	}
	a, big, why := h.array()
	if why != "" {
		return nil, failure(name, start, why)
	}
	total, empty := int64(a.Width), false
	for _, d := range a.Shape {
		if d == 0 {
			empty = true
			continue
		}
		if total > limit/int64(d) {
			return nil, failure(name, start, "the header declares more than "+strconv.FormatInt(limit, 10)+
				" bytes of elements: the file is corrupt, or raise the limit")
		}
		total *= int64(d)
	}
	if empty {
		total = 0
	}
	a.raw, err = bounded.ReadN(r, total)
	if err != nil {
		return nil, readFailure(name, int(start+n)+len(a.raw), strconv.FormatInt(total, 10)+" bytes of elements from offset "+strconv.FormatInt(start+n, 10), err)
	}
	if big && a.Width > 1 {
		for i := 0; i < len(a.raw); i += a.Width {
			reverse(a.raw[i : i+a.Width])
		}
	}
	if h.fortran && len(a.Shape) > 1 {
		a.raw = toC(a.raw, a.Shape, a.Width)
	}
	return a, nil
}

// ReadAll is Read for a stream that must end with the array; trailing bytes are an error.
func ReadAll(r io.Reader, name string, opt Options) (*Array, error) {
	a, err := Read(r, name, opt)
	if err != nil {
		return nil, err
	}
	end, err := bounded.AtEOF(r)
	if err != nil {
		return nil, &readError{"weft: npy: " + name + ": " + err.Error(), err}
	}
	if !end {
		return nil, errors.New("weft: npy: " + name + ": there are bytes after the last element: the header does not fit the file")
	}
	return a, nil
}

// Len returns the number of elements.
func (a *Array) Len() int { return len(a.raw) / a.Width }

// DType returns NumPy's name of the element type, for example "float32".
func (a *Array) DType() string {
	switch a.Kind {
	case 'b':
		return "bool"
	case 'i':
		return "int" + strconv.Itoa(8*a.Width)
	case 'u':
		return "uint" + strconv.Itoa(8*a.Width)
	}
	return "float" + strconv.Itoa(8*a.Width)
}

// bits returns element i, zero-extended.
func (a *Array) bits(i int) uint64 {
	var u uint64
	for j, b := range a.raw[i*a.Width : (i+1)*a.Width] {
		u |= uint64(b) << (8 * j)
	}
	return u
}

// Float64 returns element i as a float64: exact but for integers beyond 2^53. Booleans are 0 or 1.
func (a *Array) Float64(i int) float64 {
	u := a.bits(i)
	switch {
	case a.Kind == 'i':
		return float64(extend(u, a.Width))
	case a.Kind == 'f' && a.Width == 2:
		return half(uint16(u))
	case a.Kind == 'f' && a.Width == 4:
		return float64(math.Float32frombits(uint32(u)))
	case a.Kind == 'f':
		return math.Float64frombits(u)
	}
	return float64(u)
}

// Int64 returns element i of an integer or boolean array. ok is false for floats and for unsigned
// numbers that do not fit.
func (a *Array) Int64(i int) (v int64, ok bool) {
	u := a.bits(i)
	switch a.Kind {
	case 'i':
		return extend(u, a.Width), true
	case 'f':
		return 0, false
	}
	return int64(u), int64(u) >= 0
}

// Float32s returns all elements as float32, rounded to nearest.
func (a *Array) Float32s() []float32 {
	out := make([]float32, a.Len())
	for i := range out {
		out[i] = float32(a.Float64(i))
	}
	return out
}

// Uint8s returns the elements of a uint8 array, not a copy; ok is false for any other type.
func (a *Array) Uint8s() (elements []byte, ok bool) {
	return a.raw, a.Kind == 'u' && a.Width == 1
}

// extend sign-extends a number of width bytes.
func extend(u uint64, width int) int64 {
	s := 64 - 8*width
	return int64(u<<s) >> s
}

// half converts IEEE 754 binary16.
func half(h uint16) float64 {
	sign, exp, frac := uint64(h>>15), int(h>>10&31), uint64(h&1023)
	switch exp {
	case 0:
		v := float64(frac) / (1 << 24)
		if sign == 1 {
			v = -v
		}
		return v
	case 31:
		return math.Float64frombits(sign<<63 | 0x7ff<<52 | frac<<42)
	}
	return math.Float64frombits(sign<<63 | uint64(exp-15+1023)<<52 | frac<<42)
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

// toC turns elements whose first index runs fastest into the order whose last does.
func toC(raw []byte, shape []int, width int) []byte {
	out := make([]byte, len(raw))
	stride := make([]int, len(shape)) // of the Fortran order, in elements
	s := 1
	for i, d := range shape {
		stride[i] = s
		s *= d
	}
	index := make([]int, len(shape))
	from := 0
	for to := 0; to < len(out); to += width {
		copy(out[to:to+width], raw[from*width:])
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			from += stride[i]
			if index[i] < shape[i] {
				break
			}
			from -= index[i] * stride[i]
			index[i] = 0
		}
	}
	return out
}

// failure names the file, the offset and the problem.
func failure(name string, offset int64, text string) error {
	return errors.New("weft: npy: " + name + ": offset " + strconv.FormatInt(offset, 10) + ": " + text)
}

// readFailure tells a file that ends early from one that cannot be read.
func readFailure(name string, offset int, expected string, err error) error {
	if err == io.ErrUnexpectedEOF {
		return failure(name, int64(offset), "the file ends here, expected "+expected+": it is truncated")
	}
	return &readError{failure(name, int64(offset), "reading "+expected+": "+err.Error()).Error(), err}
}

// readError is an error of the underlying reader, for errors.Is.
type readError struct {
	text string
	err  error
}

func (e *readError) Error() string { return e.text }
func (e *readError) Unwrap() error { return e.err }

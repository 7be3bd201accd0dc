// Package idx reads the IDX format of the MNIST family, plain or in gzip: a big-endian header
// (two zero bytes, an element type, the number of dimensions, the dimensions) and the elements
// (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits").
package idx

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/data/idx/raw"
)

// Type is the type of an array's elements, the third byte of the file.
type Type = raw.Type

// The element types of IDX.
const (
	Uint8   = raw.Uint8
	Int8    = raw.Int8
	Int16   = raw.Int16
	Int32   = raw.Int32
	Float32 = raw.Float32
	Float64 = raw.Float64
)

// Array is the content of an IDX file.
type Array = raw.Array

// DefaultMaxBytes bounds the elements of one file unless Options say otherwise.
const DefaultMaxBytes = 1 << 30

// Options change how a file is read. The zero value suits every real file.
type Options struct {
	MaxBytes int64 // largest size of the elements; 0 means DefaultMaxBytes
}

// Read reads a whole IDX file; gzip is recognised by its first bytes. name stands in errors. The
// header must fit the actual length exactly: truncated files and trailing bytes are errors, with
// offsets counted in the uncompressed data.
func Read(r io.Reader, name string, opt Options) (*Array, error) {
	limit := opt.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	br := bufio.NewReader(r)
	var in io.Reader = br
	if magic, _ := br.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, raw.Failure(name, 0, "broken gzip header: "+err.Error()+"; fetch the file again")
		}
		in = z
	}
	return raw.Read(in, name, limit)
}

// Write writes an array of uint8 elements, whose number must be the product of dims.
func Write(w io.Writer, dims []int, elements []byte) error {
	if len(dims) > 255 {
		return errors.New("weft: idx: " + strconv.Itoa(len(dims)) + " dimensions, at most 255 fit the format")
	}
	n, head := int64(1), []byte{0, 0, byte(Uint8), byte(len(dims))}
	for _, d := range dims {
		if d < 0 || int64(d) > math.MaxUint32 {
			return errors.New("weft: idx: dimension " + strconv.Itoa(d) + " does not fit 32 bits")
		}
		if d > 0 && n > math.MaxInt64/int64(d) {
			return errors.New("weft: idx: the dimensions overflow")
		}
		n *= int64(d)
		head = append(head, byte(d>>24), byte(d>>16), byte(d>>8), byte(d))
	}
	if n != int64(len(elements)) {
		return errors.New("weft: idx: got " + strconv.Itoa(len(elements)) + " elements, the dimensions ask for " + strconv.FormatInt(n, 10))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(elements)
	return err
}

// readError is an error of the underlying reader, for errors.Is.
type readError struct {
	text string
	err  error
}

func (e *readError) Error() string { return e.text }
func (e *readError) Unwrap() error { return e.err }

package wire

import (
	"io"
	"math"
	"math/bits"
)

// Writer writes the fields of a message. A nested message is given as a function, which is called
// once to count its bytes and once to write them; it must do the same both times.
type Writer struct {
	w    io.Writer // nil: everything stays in buf
	buf  []byte
	n    int  // bytes counted or written
	only bool // count only
	err  error
}

// flushAt is when buffered bytes go to the io.Writer; larger payloads go there directly.
const flushAt = 1 << 15

// NewWriter returns a writer to w; with a nil w the bytes are kept for Bytes.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Bytes returns what was written to a writer without an io.Writer.
func (w *Writer) Bytes() []byte { return w.buf }

// Len returns how many bytes were written.
func (w *Writer) Len() int { return w.n }

// Flush hands what is buffered to the io.Writer and returns its first error.
func (w *Writer) Flush() error {
	if w.w != nil && w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
		w.buf = w.buf[:0]
	}
	return w.err
}

func (w *Writer) raw(b []byte) {
	w.n += len(b)
	if w.only {
		return
	}
	if w.w == nil {
		w.buf = append(w.buf, b...)
		return
	}
	if len(w.buf)+len(b) > flushAt {
		w.Flush()
		if len(b) > flushAt {
			if w.err == nil {
				_, w.err = w.w.Write(b)
			}
			return
		}
	}
	w.buf = append(w.buf, b...)
}

func (w *Writer) uvarint(u uint64) {
	var b [10]byte
	w.raw(AppendUvarint(b[:0], u))
}

func (w *Writer) tag(num int, t Type) { w.uvarint(uint64(num)<<3 | uint64(t)) }

// Count returns the number of bytes that f writes.
func Count(f func(w *Writer)) int {
	c := Writer{only: true}
	f(&c)
	return c.n
}

// Message writes a nested message.
func (w *Writer) Message(num int, f func(w *Writer)) {
	n := Count(f)
	w.tag(num, Bytes)
	w.uvarint(uint64(n))
	if w.only {
		w.n += n
		return
	}
	f(w)
}

// Payload writes a field of the given bytes, also when there are none.
func (w *Writer) Payload(num int, b []byte) {
	w.tag(num, Bytes)
	w.uvarint(uint64(len(b)))
	w.raw(b)
}

// Str writes a string field unless it is empty.
func (w *Writer) Str(num int, s string) {
	if s != "" {
		w.RepeatedStr(num, s)
	}
}

// RepeatedStr writes a string field, also when it is empty.
func (w *Writer) RepeatedStr(num int, s string) {
	w.tag(num, Bytes)
	w.uvarint(uint64(len(s)))
	w.raw([]byte(s))
}

// Int writes an integer field unless it is 0.
func (w *Writer) Int(num int, v int64) {
	if v != 0 {
		w.RepeatedInt(num, v)
	}
}

// RepeatedInt writes an integer field, also when it is 0.
func (w *Writer) RepeatedInt(num int, v int64) {
	w.tag(num, Varint)
	w.uvarint(uint64(v))
}

// F32 writes a float field, also when it is 0.
func (w *Writer) F32(num int, v float32) {
	w.tag(num, Fixed32)
	u := math.Float32bits(v)
	w.raw([]byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)})
}

// Ints writes a packed field of integers unless there are none.
func (w *Writer) Ints(num int, v []int64) {
	if len(v) == 0 {
		return
	}
	n := 0
	for _, x := range v {
		n += SizeUvarint(uint64(x))
	}
	w.tag(num, Bytes)
	w.uvarint(uint64(n))
	for _, x := range v {
		w.uvarint(uint64(x))
	}
}

// F32s writes a packed field of floats unless there are none.
func (w *Writer) F32s(num int, v []float32) {
	if len(v) == 0 {
		return
	}
	w.tag(num, Bytes)
	w.uvarint(uint64(4 * len(v)))
	for _, x := range v {
		u := math.Float32bits(x)
		w.raw([]byte{byte(u), byte(u >> 8), byte(u >> 16), byte(u >> 24)})
	}
}

// SizeUvarint returns the length of a varint in bytes.
func SizeUvarint(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }

// AppendUvarint appends a varint.
func AppendUvarint(b []byte, u uint64) []byte {
	for u >= 0x80 {
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}

// Package wire reads and writes the wire format of Protocol Buffers: the part of it that model
// files need, without reflection and without generated code.
//
// A [Reader] walks the fields of one message in place: bytes, strings and nested messages are views of
// the given buffer, so that reading a model allocates nothing for its weights, and every length is checked against what
// is left before it is used. A [Writer] counts or writes the same calls, so that nested messages get
// their lengths without being buffered.
package wire

import (
	"math"
	"strconv"
)

// Type is a wire type.
type Type uint8

// The wire types of Protocol Buffers.
const (
	Varint     Type = 0
	Fixed64    Type = 1
	Bytes      Type = 2
	StartGroup Type = 3
	EndGroup   Type = 4
	Fixed32    Type = 5
)

// MaxNumber is the largest field number.
const MaxNumber = 1<<29 - 1

// Error is a violation of the wire format.
type Error struct {
	Offset int // byte offset in the whole file
	Msg    string
}

// Error returns the message with its offset.
func (e *Error) Error() string { return e.Msg + " at byte " + strconv.Itoa(e.Offset) }

// Field is one field of a message.
type Field struct {
	Num  int
	Type Type
	U    uint64 // the number, of Varint, Fixed32 and Fixed64
	B    []byte // the payload of Bytes and groups; the encoded bytes of the number otherwise; a view
	Off  int    // byte offset of B in the whole file
}

// Reader walks the fields of a message.
type Reader struct {
	b    []byte
	pos  int
	base int
	err  *Error
}

// NewReader returns a reader of the message b, which starts at byte base of the file.
func NewReader(b []byte, base int) *Reader { return &Reader{b: b, base: base} }

// Err returns the first error.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Fail records an error at the given offset in the file; Next returns false from then on.
func (r *Reader) Fail(off int, msg string) {
	if r.err == nil {
		r.err = &Error{Offset: off, Msg: msg}
	}
}

// Base returns the offset of the message in the file.
func (r *Reader) Base() int { return r.base }

// Next reads the next field into f; it returns false at the end and on an error. The fields of a group are not
// looked into: B is its content.
func (r *Reader) Next(f *Field) bool {
	if r.err != nil || r.pos >= len(r.b) {
		return false
	}
	start := r.pos
	num, typ, ok := r.tag()
	if !ok {
		return false
	}
	if typ == EndGroup {
		r.Fail(r.base+start, "end of a group that was not started")
		return false
	}
	if typ == StartGroup {
		return r.group(num, f)
	}
	return r.value(num, typ, f)
}

func (r *Reader) tag() (num int, typ Type, ok bool) {
	start := r.pos
	u, ok := r.varint()
	if !ok {
		return 0, 0, false
	}
	if n := u >> 3; n == 0 || n > MaxNumber {
		r.Fail(r.base+start, "invalid field number")
		return 0, 0, false
	}
	if u&7 > 5 {
		r.Fail(r.base+start, "invalid wire type "+strconv.Itoa(int(u&7)))
		return 0, 0, false
	}
	return int(u >> 3), Type(u & 7), true
}

func (r *Reader) varint() (uint64, bool) {
	u, n := Uvarint(r.b[r.pos:])
	switch {
	case n > 0:
		r.pos += n
		return u, true
	case n == 0:
		r.Fail(r.base+len(r.b), "unexpected end of data")
	default:
		r.Fail(r.base+r.pos, "number of more than 64 bits")
	}
	return 0, false
}

// value reads the value of a field that is not a group.
func (r *Reader) value(num int, typ Type, f *Field) bool {
	start := r.pos
	f.Num, f.Type, f.U = num, typ, 0
	n := 0
	switch typ {
	case Varint:
		u, ok := r.varint()
		if !ok {
			return false
		}
		f.U, f.B, f.Off = u, r.b[start:r.pos:r.pos], r.base+start
		return true
	case Fixed32:
		n = 4
	case Fixed64:
		n = 8
	case Bytes:
		u, ok := r.varint()
		if !ok {
			return false
		}
		if left := len(r.b) - r.pos; u > uint64(left) {
			r.Fail(r.base+start, "field "+strconv.Itoa(num)+" claims "+strconv.FormatUint(u, 10)+" bytes, "+strconv.Itoa(left)+" are left")
			return false
		}
		n = int(u)
	}
	if len(r.b)-r.pos < n {
		r.Fail(r.base+len(r.b), "unexpected end of data")
		return false
	}
	f.B, f.Off = r.b[r.pos:r.pos+n:r.pos+n], r.base+r.pos
	r.pos += n
	if typ != Bytes {
		for i := n - 1; i >= 0; i-- {
			f.U = f.U<<8 | uint64(f.B[i])
		}
	}
	return true
}

// group skips a group, which ONNX never uses but a well-formed message may hold.
func (r *Reader) group(num int, f *Field) bool {
	start := r.pos
	open := []int{num}
	for {
		if r.pos >= len(r.b) {
			r.Fail(r.base+len(r.b), "unexpected end of data")
			return false
		}
		at := r.pos
		n, t, ok := r.tag()
		switch {
		case !ok:
			return false
		case t == StartGroup:
			open = append(open, n)
		case t == EndGroup:
			if n != open[len(open)-1] {
				r.Fail(r.base+at, "end of a group that was not started")
				return false
			}
			open = open[:len(open)-1]
			if len(open) == 0 {
				*f = Field{Num: num, Type: StartGroup, B: r.b[start:at:at], Off: r.base + start}
				return true
			}
		default:
			if !r.value(n, t, f) {
				return false
			}
		}
	}
}

// Sub returns a reader of the nested message that the field holds. A field of another wire type gives an error.
func (r *Reader) Sub(f *Field) *Reader {
	r.Want(f, Bytes)
	if f.Type != Bytes {
		return &Reader{err: r.err}
	}
	return &Reader{b: f.B, base: f.Off}
}

// Adopt takes over the error of a nested reader and reports whether there was none.
func (r *Reader) Adopt(sub *Reader) bool {
	if sub.err != nil && r.err == nil {
		r.err = sub.err
	}
	return r.err == nil
}

// Want records an error unless the field has the wire type.
func (r *Reader) Want(f *Field, t Type) bool {
	if f.Type != t {
		r.Fail(f.Off, "field "+strconv.Itoa(f.Num)+" has wire type "+strconv.Itoa(int(f.Type))+" where "+strconv.Itoa(int(t))+" is due")
		return false
	}
	return true
}

// Str returns the field as a string.
func (r *Reader) Str(f *Field) string {
	if !r.Want(f, Bytes) {
		return ""
	}
	return string(f.B)
}

// Int returns the field as a signed integer (int32, int64 and enumerations).
func (r *Reader) Int(f *Field) int64 {
	if !r.Want(f, Varint) {
		return 0
	}
	return int64(f.U)
}

// F32 returns the field as a float.
func (r *Reader) F32(f *Field) float32 {
	if !r.Want(f, Fixed32) {
		return 0
	}
	return math.Float32frombits(uint32(f.U))
}

// Ints appends the integers of a repeated field, packed or not.
func (r *Reader) Ints(dst []int64, f *Field) []int64 {
	if f.Type == Varint {
		return append(dst, int64(f.U))
	}
	if !r.Want(f, Bytes) {
		return dst
	}
	if dst == nil {
		dst = make([]int64, 0, CountVarints(f.B))
	}
	for b := f.B; len(b) > 0; {
		u, n := Uvarint(b)
		if n <= 0 {
			r.Fail(f.Off+len(f.B)-len(b), "invalid number in field "+strconv.Itoa(f.Num))
			return dst
		}
		dst, b = append(dst, int64(u)), b[n:]
	}
	return dst
}

// F32s appends the floats of a repeated field, packed or not.
func (r *Reader) F32s(dst []float32, f *Field) []float32 {
	if f.Type == Fixed32 {
		return append(dst, math.Float32frombits(uint32(f.U)))
	}
	if !r.Want(f, Bytes) {
		return dst
	}
	if len(f.B)%4 != 0 {
		r.Fail(f.Off, "field "+strconv.Itoa(f.Num)+" holds "+strconv.Itoa(len(f.B))+" bytes, not a whole number of floats")
		return dst
	}
	if dst == nil {
		dst = make([]float32, 0, len(f.B)/4)
	}
	for b := f.B; len(b) > 0; b = b[4:] {
		dst = append(dst, math.Float32frombits(uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24))
	}
	return dst
}

// Packed appends the payload of a repeated field of numbers, packed or not, to what came before: in both forms the
// concatenated payloads are the packed elements. The first payload stays a view.
func (r *Reader) Packed(dst []byte, f *Field) []byte {
	if f.Type == StartGroup {
		r.Want(f, Bytes)
		return dst
	}
	if dst == nil {
		return f.B
	}
	return append(dst, f.B...)
}

// CountVarints returns how many varints end in b.
func CountVarints(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return n
}

// Uvarint decodes a varint and returns it with its length in bytes: 0 when b ends too early, -1 when the
// number does not fit 64 bits.
func Uvarint(b []byte) (uint64, int) {
	var u uint64
	for i, c := range b {
		if i == 9 && c > 1 {
			return 0, -1
		}
		u |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return u, i + 1
		}
	}
	return 0, 0
}

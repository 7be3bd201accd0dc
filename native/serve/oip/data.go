package oip

import (
	"math"

	"github.com/weft-ml/weft/core/tensor"
)

// fault is what stopped the reading of numbers.
type fault uint8

const (
	faultNone    fault = iota
	faultElement       // no element of the type begins here
	faultMany          // more elements than there is room for
	faultSyntax        // no comma and no bracket after an element
)

// elements reads elements up to the closing bracket of the array that p is in, no more than dst holds, and returns where it stopped and how many it read.
func elements[T any](b []byte, p int, dst []T, elem func([]byte, int) (T, int)) (next, n int, bad fault) {
	p = space(b, p)
	if p < len(b) && b[p] == ']' {
		return p + 1, 0, faultNone
	}
	for {
		if n == len(dst) {
			return p, n, faultMany
		}
		v, q := elem(b, p)
		if q < 0 {
			return p, n, faultElement
		}
		dst[n] = v
		n++
		p = q
		if p < len(b) && b[p] != ',' && b[p] != ']' {
			p = space(b, p)
		}
		if p == len(b) || b[p] != ',' && b[p] != ']' {
			return p, n, faultSyntax
		}
		p++
		if b[p-1] == ']' {
			return p, n, faultNone
		}
		if p < len(b) && b[p] <= ' ' {
			p = space(b, p)
		}
	}
}

// field is an array of numbers that is read, as messages call it.
type field struct {
	name   string
	binary bool // the numbers can be sent in binary form too
}

// dataOf is the value of "data" of an input.
func dataOf(input string) field { return field{"input " + quote(input) + ": \"data\"", true} }

// numbers reads an array of numbers, which begins at s.p, into t.
func (s *scanner) numbers(f field, t *tensor.Tensor) *Error {
	switch t.DType() {
	case tensor.Float32:
		return fill(s, f, t, tensor.Data[float32](t), parse32)
	case tensor.Float64:
		return fill(s, f, t, tensor.Data[float64](t), parse64)
	case tensor.Bool:
		return fill(s, f, t, t.Bytes(), parseBool)
	case tensor.Uint8:
		return fill(s, f, t, t.Bytes(), func(b []byte, p int) (uint8, int) { return integer[uint8](b, p, 0, math.MaxUint8) })
	case tensor.Uint16:
		return fill(s, f, t, tensor.Data[uint16](t), func(b []byte, p int) (uint16, int) { return integer[uint16](b, p, 0, math.MaxUint16) })
	case tensor.Uint32:
		return fill(s, f, t, tensor.Data[uint32](t), func(b []byte, p int) (uint32, int) { return integer[uint32](b, p, 0, math.MaxUint32) })
	case tensor.Uint64:
		return fill(s, f, t, tensor.Data[uint64](t), func(b []byte, p int) (uint64, int) { return integer[uint64](b, p, 0, math.MaxUint64) })
	case tensor.Int8:
		return fill(s, f, t, tensor.Data[int8](t), func(b []byte, p int) (int8, int) { return integer[int8](b, p, 1<<7, math.MaxInt8) })
	case tensor.Int16:
		return fill(s, f, t, tensor.Data[int16](t), func(b []byte, p int) (int16, int) { return integer[int16](b, p, 1<<15, math.MaxInt16) })
	case tensor.Int32:
		return fill(s, f, t, tensor.Data[int32](t), func(b []byte, p int) (int32, int) { return integer[int32](b, p, 1<<31, math.MaxInt32) })
	case tensor.Int64:
		return fill(s, f, t, tensor.Data[int64](t), func(b []byte, p int) (int64, int) { return integer[int64](b, p, 1<<63, math.MaxInt64) })
	}
	d, _ := DTypeName(t.DType())
	return refuse(f.name, ": ", d, " has no JSON form; send it in binary form, with the parameter \"binary_data_size\" in place of \"data\"")
}

// integer reads a whole number from -least to most.
func integer[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](b []byte, p int, least, most uint64) (T, int) {
	mag, neg, next := parseInt(b, p)
	if neg {
		if mag > least {
			return 0, -1
		}
		return -T(mag), next
	}
	if mag > most {
		return 0, -1
	}
	return T(mag), next
}

func parseBool(b []byte, p int) (uint8, int) {
	switch {
	case len(b)-p >= 4 && string(b[p:p+4]) == "true":
		return 1, p + 4
	case len(b)-p >= 5 && string(b[p:p+5]) == "false":
		return 0, p + 5
	}
	return 0, -1
}

// fill reads an array of t's elements, flat or nested as t's shape says, into dst, t's memory.
func fill[T any](s *scanner, f field, t *tensor.Tensor, dst []T, elem func([]byte, int) (T, int)) *Error {
	shape := t.Shape()
	// The depth is that of the brackets at the beginning.
	depth := 0
	for p := s.p; ; p++ {
		p = space(s.b, p)
		if p == len(s.b) || s.b[p] != '[' {
			break
		}
		depth++
	}
	if depth == 0 {
		s.peek()
		return refuse(f.name, " must be an array, flat or nested as shape ", tensor.ShapeString(shape), " is, not ", s.token())
	}
	want := len(shape)
	for i, d := range shape {
		if d == 0 { // arrays of nothing have nothing inside
			want = i + 1
			break
		}
	}
	if depth != 1 && depth != want {
		return refuse(f.name, " is nested ", itoa(depth), " deep; send it flat, or nested ", itoa(want), " deep as shape ", tensor.ShapeString(shape), " is")
	}
	row := len(dst)
	if depth > 1 {
		row = shape[depth-1]
	}
	var at [tensor.MaxRank]int // how many parts of the array open at each level have been read
	level, n := 0, 0           // the array open now is inside of level others
	s.peek()
	s.p++
	for {
		if level == depth-1 {
			next, got, bad := elements(s.b, s.p, dst[n:n+row], elem)
			s.p = next
			n += got
			if bad != faultNone {
				return s.element(bad, f, t, n, row, depth)
			}
			if got < row {
				if depth == 1 {
					return refuse(f.name, " has ", itoa(n), " elements, shape ", tensor.ShapeString(shape), " needs ", itoa(len(dst)))
				}
				return refuse(f.name, " has a row of ", itoa(got), " elements before element ", itoa(n), ", the last dimension of shape ", tensor.ShapeString(shape), " is ", itoa(row))
			}
		} else if at[level] < shape[level] {
			if at[level] > 0 {
				if s.peek() != ',' {
					return s.nesting(f.name, shape, level, at[level])
				}
				s.p++
			}
			if s.peek() != '[' {
				return s.nesting(f.name, shape, level, at[level])
			}
			s.p++
			level++
			at[level] = 0
			continue
		} else {
			if s.peek() != ']' {
				return s.nesting(f.name, shape, level, at[level])
			}
			s.p++
		}
		// An array has ended.
		if level == 0 {
			return nil
		}
		level--
		at[level]++
	}
}

// nesting is the error of nested data that leaves the shape, or JSON, at s.p.
func (s *scanner) nesting(name string, shape []int, level, at int) *Error {
	switch s.peek() {
	case ',', ']', '[':
		return refuse(name, " at byte ", itoa(s.p), " does not follow shape ", tensor.ShapeString(shape), ": dimension ", itoa(level), " must have ", itoa(shape[level]), " parts, not ", more(s.b[s.p], at))
	}
	if s.p < len(s.b) && at < shape[level] {
		return refuse(name, " at byte ", itoa(s.p), " does not follow shape ", tensor.ShapeString(shape), ": dimension ", itoa(level), " must have arrays, not ", s.token())
	}
	return s.syntax("\",\" or \"]\"")
}

func more(c byte, at int) string {
	if c == ']' {
		return itoa(at)
	}
	return "more"
}

// element is the error of an element of t at s.p that cannot be read, n elements after the first.
func (s *scanner) element(bad fault, f field, t *tensor.Tensor, n, row, depth int) *Error {
	shape := tensor.ShapeString(t.Shape())
	switch {
	case bad == faultSyntax:
		return s.syntax("\",\" or \"]\"")
	case bad == faultMany && depth == 1:
		return refuse(f.name, " has more than the ", itoa(row), " elements of shape ", shape)
	case bad == faultMany:
		return refuse(f.name, " has a row of more than ", itoa(row), " elements at element ", itoa(n), ", the last dimension of shape ", shape)
	case s.p == len(s.b):
		return s.syntax("an element of \"data\"")
	}
	d, _ := DTypeName(t.DType())
	what := f.name + " element " + itoa(n) + " (byte " + itoa(s.p) + ") is " + s.token()
	switch dec, next := lex(s.b, s.p); {
	case s.b[s.p] == '[':
		return refuse(what, " among elements; send them flat, or nested as shape ", shape, " is")
	case t.DType() == tensor.Bool:
		return refuse(what, "; BOOL takes true and false")
	case next > 0 && t.DType().IsInt() && dec.e < 0 && !whole(s.b, s.p):
		return refuse(what, ", no whole number; ", d, " takes whole numbers from ", limits(t.DType()))
	case next > 0:
		return refuse(what, ", out of the range of ", d, ", ", limits(t.DType()))
	case t.DType().IsFloat() && s.notFinite():
		if !f.binary {
			return refuse(what, "; JSON has no NaN and no Infinity")
		}
		return refuse(what, "; JSON has no NaN and no Infinity: send the tensor in binary form, with the parameter \"binary_data_size\" in place of \"data\"")
	}
	return refuse(what, "; ", d, " takes numbers as JSON writes them")
}

// whole reports whether the number at p is a whole one that fits 64 bits.
func whole(b []byte, p int) bool {
	_, _, next := parseInt(b, p)
	return next > 0
}

// notFinite reports whether one of the names that JavaScript, Python and others have for numbers that are not finite comes next.
func (s *scanner) notFinite() bool {
	p := s.p
	if p < len(s.b) && (s.b[p] == '-' || s.b[p] == '+') {
		p++
	}
	return p < len(s.b) && (s.b[p]|0x20 == 'n' && !s.null() || s.b[p]|0x20 == 'i')
}

// null reports whether null comes next.
func (s *scanner) null() bool { return len(s.b)-s.p >= 4 && string(s.b[s.p:s.p+4]) == "null" }

// token returns what stands at s.p for a message, cut where it is long.
func (s *scanner) token() string {
	if s.p == len(s.b) {
		return "nothing"
	}
	end := s.p
	for end < len(s.b) && end-s.p < 40 && s.b[end] > ' ' && s.b[end] != ',' && s.b[end] != ']' && s.b[end] != '}' {
		end++
	}
	switch c := s.b[s.p]; {
	case c == '[':
		return "an array"
	case c == '{':
		return "an object"
	case c == '"':
		return "a string"
	case end == s.p:
		end++
	}
	return quote(string(s.b[s.p:end]))
}

func limits(d tensor.DType) string {
	switch d {
	case tensor.Uint8:
		return "0 to 255"
	case tensor.Uint16:
		return "0 to 65535"
	case tensor.Uint32:
		return "0 to 4294967295"
	case tensor.Uint64:
		return "0 to 18446744073709551615"
	case tensor.Int8:
		return "-128 to 127"
	case tensor.Int16:
		return "-32768 to 32767"
	case tensor.Int32:
		return "-2147483648 to 2147483647"
	case tensor.Int64:
		return "-9223372036854775808 to 9223372036854775807"
	case tensor.Float32:
		return "-3.4028235e38 to 3.4028235e38"
	}
	return "-1.7976931348623157e308 to 1.7976931348623157e308"
}
